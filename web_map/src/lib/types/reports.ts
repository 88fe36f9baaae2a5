// The reports as the server gives them.

import type { Area } from './places';

export interface KindsReport {
  incidents: number;
  calls: number;
  kinds: {
    kind: string;
    incidents: number;
    incident_share: number;
    calls: number;
    call_share: number;
  }[];
  by_area: Record<string, Record<string, number>>;
  by_hour: Record<string, number>[];
}

export interface ClocksReport {
  clocks: {
    step: string;
    count: number;
    missing: number;
    p50_s: number | null;
    p90_s: number | null;
    longest_s: number | null;
    target_s: number | null;
    within_target: number | null;
  }[];
}

export interface LedgerReport {
  since: string;
  until: string;
  ledger: {
    camera_id: string;
    hazard: string;
    day: string;
    rejected: number;
    confirmed: number;
    undecided: number;
  }[];
}

export interface AlarmsReport {
  operators: number;
  alarms: number;
  average: number;
  busiest: number;
  busiest_at: string | null;
  share_fine: number;
  share_manageable: number;
  share_in_flood: number;
  chattering: { camera_id: string; hazard: string; alarms: number }[];
  stale: string[];
  unacknowledged: number;
}

export interface AreaCoverage {
  name: string;
  area_m2: number;
  share: number;
}

export interface CoverageReport {
  outline: 'areas' | 'cameras' | 'radius';
  cameras: number;
  city: AreaCoverage;
  areas: AreaCoverage[];
  /** What no camera sees; null where all is seen. */
  gaps: Area | null;
}

export interface HeatReport {
  cell_m: number;
  cells: { lon: number; lat: number; count: number; by_kind: Record<string, number> }[];
}

export interface AuditPage {
  entries: {
    seq: number;
    recorded_at: string;
    actor: string;
    action: string;
    subject: string;
    /** Null where the law had it forgotten. */
    details: Record<string, unknown> | null;
  }[];
  next: number | null;
  head: { seq: number; hash: string };
}

export interface Reports {
  kinds: KindsReport;
  clocks: ClocksReport;
  alarms: AlarmsReport;
  ledger: LedgerReport;
  coverage: CoverageReport;
  heat: HeatReport;
}
