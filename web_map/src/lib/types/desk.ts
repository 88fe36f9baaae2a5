// What the desk keeps beside incidents: what is kept quiet, and what shifts tell one another.

import type { Hazard } from './hazards';
import type { LonLat } from './places';

export interface Shelf {
  id: string;
  camera_id: string | null;
  hazard: Hazard | null;
  reason: string;
  actor: string;
  since: string;
  until: string;
  ended_by: string;
  exercise: boolean;
}

export interface Handover {
  id: string;
  at: string;
  actor: string;
  text: string;
  incident_ids: string[];
  /** Who of the next shift took over; empty while nobody has. */
  taken_by: string;
  taken_at: string | null;
  exercise: boolean;
}

/** Alarms of one kind in one area. */
export interface AlarmGroup {
  hazard: Hazard;
  place_name: string;
  count: number;
}

/** How many alarms the desk is given, and what is done about it, as the service tells it. */
export interface DeskLoad {
  at: string;
  alarms_last_ten_minutes: number;
  alarms_last_hour: number;
  budget_per_hour: number;
  /** What the odds that a camera's alarm needs are multiplied by; 1 within the budget. */
  odds_factor: number;
  odds_bound: number;
  flood_since: string | null;
  groups: AlarmGroup[];
  /** Places that are shown quietly because they sound again and again. */
  chattering: AlarmGroup[];
}

/** Something with a name on the map. */
export interface NamedPlace {
  name: string;
  kind: 'area' | 'street' | 'spot';
  at: LonLat;
  radius_m: number;
}
