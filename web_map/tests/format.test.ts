import { describe, expect, it } from 'vitest';
import { coordinates, metres, percent, signed } from '../src/lib/format';
import { kept } from '../src/lib/kept';
import { between, elapsed, wallTime, zoneName } from '../src/lib/time';

describe('numbers', () => {
  it('never claim certainty', () => {
    expect(percent(0.9996, 'en')).toMatch(/>\s?99%/);
    expect(percent(0.0004, 'en')).toMatch(/<\s?1%/);
    expect(percent(0.962, 'id')).toMatch(/^96\s%$/);
  });

  it('use a decimal comma in Indonesian and a real minus sign', () => {
    expect(signed(6.08, 'id')).toBe('+6,1');
    expect(signed(-1.84, 'en')).toBe('\u22121.8');
  });

  it('tell distances in steps that fit their size', () => {
    expect(metres(18.4, 'id')).toBe('18 m');
    expect(metres(283, 'id')).toBe('285 m');
    expect(metres(1540, 'id')).toBe('1,5 km');
    expect(metres(28_300, 'en')).toBe('28 km');
  });

  it('write coordinates latitude first', () => {
    expect(coordinates({ lon: 106.992, lat: -6.2383 })).toBe('\u22126.23830, 106.99200');
  });
});

it('makes a format once for each language, and never mixes them up', () => {
  let made = 0;
  const format = kept((language: string, digits: number) => `${language}${digits}#${(made += 1)}`);
  expect([format('id', 1), format('en', 1), format('id', 1), format('id', 2)]).toEqual([
    'id1#1',
    'en1#2',
    'id1#1',
    'id2#3',
  ]);
});

describe('times', () => {
  const now = Date.parse('2026-11-22T15:41:07Z');

  it('run from seconds to days', () => {
    expect(elapsed('2026-11-22T15:40:48Z', now)).toBe('0:19');
    expect(elapsed('2026-11-22T15:27:02Z', now)).toBe('14:05');
    expect(elapsed('2026-11-22T13:39:05Z', now)).toBe('2:02:02');
    expect(elapsed('2026-11-20T13:41:07Z', now)).toBe('2 d 2 h');
    expect(between('2026-11-22T15:40:48Z', '2026-11-22T15:40:59Z')).toBe('0:11');
  });

  it('are never negative when the server is a moment ahead', () => {
    expect(elapsed('2026-11-22T15:41:09Z', now)).toBe('0:00');
  });

  it('stand in the city\u2019s time zone, whatever the desk\u2019s', () => {
    expect(wallTime(now, 'id', 'Asia/Jakarta')).toBe('22.41.07');
    expect(wallTime(now, 'en', 'Asia/Jakarta')).toBe('22:41:07');
    expect(zoneName('Asia/Jakarta', now)).toBe('WIB');
    expect(wallTime('2026-11-22T17:00:00Z', 'en', 'Asia/Jakarta')).toBe('00:00:00');
  });
});
