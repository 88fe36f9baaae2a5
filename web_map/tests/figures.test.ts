import { describe, expect, it } from 'vitest';
import { areasByCount, hourBars, monthOf, vainCameras } from '../src/lib/figures';
import { screensOf } from '../src/lib/rights';
import { duration } from '../src/lib/time';

describe('the figures of a month', () => {
  it('draws each hour against the busiest', () => {
    const bars = hourBars([{ fire: 1, crash: 1 }, {}, { fire: 1 }]);
    expect(bars.map((bar) => bar.count)).toEqual([2, 0, 1]);
    expect(bars.map((bar) => bar.share)).toEqual([1, 0, 0.5]);
    expect(hourBars([{}])[0]?.share).toBe(0);
  });

  it('orders areas by what happened there', () => {
    const areas = areasByCount({ Barat: { fire: 1 }, Timur: { fire: 1, flood: 2 } });
    expect(areas).toEqual([
      { name: 'Timur', count: 3 },
      { name: 'Barat', count: 1 },
    ]);
  });

  it('sums the ledger a camera and hazard', () => {
    const row = { hazard: 'fire', confirmed: 0, undecided: 0 };
    const vain = vainCameras([
      { ...row, camera_id: 'a', day: '2026-11-01', rejected: 1 },
      { ...row, camera_id: 'b', day: '2026-11-01', rejected: 2 },
      { ...row, camera_id: 'a', day: '2026-11-02', rejected: 3, confirmed: 1 },
    ]);
    expect(vain.map((one) => [one.cameraId, one.rejected, one.confirmed, one.perDay])).toEqual([
      ['a', 4, 1, 2],
      ['b', 2, 0, 2],
    ]);
  });

  it("knows the city's month, not the browser's", () => {
    const lastEvening = Date.parse('2026-10-31T18:00:00Z');
    expect(monthOf(lastEvening, 'Asia/Jakarta')).toBe('2026-11');
    expect(monthOf(lastEvening, 'UTC')).toBe('2026-10');
  });

  it('tells a duration as people do', () => {
    expect([null, 12.4, 75, 3700].map(duration)).toEqual(['', '12 s', '1:15', '1:01:40']);
  });
});

describe('screens', () => {
  const asked = (role: string) => screensOf({ username: 'a', display_name: 'A', role });

  it('are those that the server would answer', () => {
    expect(asked('operator')).toEqual(['operations', 'wall']);
    expect(asked('camera_admin')).toEqual(['operations', 'wall', 'cameras']);
    expect(asked('auditor')).toEqual(['operations', 'reports', 'exercises', 'admin']);
    expect(asked('supervisor')).toEqual([
      'operations',
      'wall',
      'cameras',
      'reports',
      'exercises',
      'admin',
    ]);
  });
});
