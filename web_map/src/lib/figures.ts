// What the reports' plots are drawn from. Pure, so that every figure on the screen can be checked.

import type { KindsReport, LedgerReport } from './types/reports';

export interface HourBar {
  hour: number;
  count: number;
  /** Of the busiest hour. */
  share: number;
}

export function hourBars(byHour: readonly Record<string, number>[]): HourBar[] {
  const counts = byHour.map(sum);
  const most = Math.max(1, ...counts);
  return counts.map((count, hour) => ({ hour, count, share: count / most }));
}

export function areasByCount(byArea: KindsReport['by_area']): { name: string; count: number }[] {
  return Object.entries(byArea)
    .map(([name, kinds]) => ({ name, count: sum(kinds) }))
    .sort((one, other) => other.count - one.count || one.name.localeCompare(other.name, 'id'));
}

export interface VainCamera {
  cameraId: string;
  hazard: string;
  rejected: number;
  confirmed: number;
  undecided: number;
  /** Rejected alarms a day on which it alarmed at all. */
  perDay: number;
}

/** The ledger a camera and hazard, those that were wrong most often first. */
export function vainCameras(ledger: LedgerReport['ledger']): VainCamera[] {
  const found = new Map<string, VainCamera & { days: number }>();
  for (const row of ledger) {
    const key = `${row.camera_id}\n${row.hazard}`;
    const one = found.get(key) ?? {
      cameraId: row.camera_id,
      hazard: row.hazard,
      rejected: 0,
      confirmed: 0,
      undecided: 0,
      perDay: 0,
      days: 0,
    };
    one.rejected += row.rejected;
    one.confirmed += row.confirmed;
    one.undecided += row.undecided;
    one.days += 1;
    one.perDay = one.rejected / one.days;
    found.set(key, one);
  }
  return [...found.values()].sort(
    (one, other) => other.rejected - one.rejected || one.cameraId.localeCompare(other.cameraId),
  );
}

/** The city's month at a time, such as 2026-11. */
export function monthOf(at: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit' });
  return parts.format(new Date(at)).slice(0, 7);
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
