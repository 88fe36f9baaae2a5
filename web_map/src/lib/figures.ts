// What the reports' plots are drawn from. Pure, so that every figure on the screen can be checked.

import type { Area } from './types';
import type { AlarmsReport, HeatReport, KindsReport, LedgerReport } from './types/reports';

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

export interface AlarmLine {
  name: 'average' | 'busiest' | 'fine' | 'flood' | 'stale' | 'chattering';
  value: number;
  unit: 'count' | 'rate' | 'share';
  target: number;
  /** The target is a least, not a most. */
  least: boolean;
  met: boolean;
}

/** What ISA-18.2 and EEMUA 191 ask of a desk, an operator: docs of both give these numbers. */
export function alarmLines(alarms: AlarmsReport): AlarmLine[] {
  const line = (
    name: AlarmLine['name'],
    value: number,
    unit: AlarmLine['unit'],
    target: number,
    least = false,
  ) => ({ name, value, unit, target, least, met: least ? value >= target : value <= target });
  return [
    line('average', alarms.average, 'rate', 1),
    line('busiest', alarms.busiest, 'count', 10),
    line('fine', alarms.share_fine, 'share', 0.9, true),
    line('flood', alarms.share_in_flood, 'share', 0.01),
    line('chattering', alarms.chattering.length, 'count', 0),
    line('stale', alarms.stale.length, 'count', 0),
  ];
}

const DAY_MS = 86_400_000;

/** Rejected alarms of cameras, a camera and a day of the span that has passed; null: none has. */
export function falseAlarmsACameraDay(
  report: LedgerReport,
  cameras: number,
  now: number,
): number | null {
  const begin = Date.parse(report.since);
  const days = (Math.min(now, Date.parse(report.until)) - begin) / DAY_MS;
  if (cameras === 0 || !(days > 0)) return null;
  const rejected = report.ledger
    .filter((row) => row.camera_id !== '')
    .reduce((sum, row) => sum + row.rejected, 0);
  return rejected / (cameras * days);
}

/** The city's month at a time, such as 2026-11. */
export function monthOf(at: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit' });
  return parts.format(new Date(at)).slice(0, 7);
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

const METRES_A_DEGREE = 111_320;

/** The squares of the heat map as areas, with each one's share of the fullest. */
export function heatSquares(report: HeatReport): { area: Area; count: number; share: number }[] {
  const most = Math.max(1, ...report.cells.map((cell) => cell.count));
  return report.cells.map(({ lon, lat, count }) => {
    const up = report.cell_m / METRES_A_DEGREE / 2;
    const across = up / Math.cos((lat * Math.PI) / 180);
    const corner = (x: number, y: number): [number, number] => [lon + x * across, lat + y * up];
    const ring = [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1), corner(-1, -1)];
    return { area: { type: 'Polygon', coordinates: [ring] }, count, share: count / most };
  });
}
