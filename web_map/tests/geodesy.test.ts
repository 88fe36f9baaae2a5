import { describe, expect, it } from 'vitest';
import {
  bearingDeg,
  boundsOf,
  disc,
  distanceM,
  equivalentRadiusM,
  fixRadiusM,
  offset,
  radiusAt,
  sector,
} from '../src/lib/geodesy';
import { call } from './builders';

const BEKASI = { lon: 106.992, lat: -6.2383 };

describe('drawing geometry', () => {
  it('scales a radius between confidences as a circular Gaussian does', () => {
    // 52 m at 68 % holds as much as 84 m at 95 %.
    expect(radiusAt(52, 0.68)).toBeCloseTo(84.3, 1);
    expect(radiusAt(84.3, 0.95)).toBeCloseTo(84.3, 6);
    expect(fixRadiusM(call('c').fixes[0]!)).toBeCloseTo(84.3, 1);
  });

  it.each([0, 45, 135, 270, 359])('goes 500 m at %d degrees and finds its way back', (bearing) => {
    const [lon, lat] = offset(BEKASI, 500, bearing);
    expect(distanceM(BEKASI, { lon, lat })).toBeCloseTo(500, 0);
    expect(bearingDeg(BEKASI, { lon, lat })).toBeCloseTo(bearing, 1);
  });

  it('knows the size of what it draws', () => {
    expect(equivalentRadiusM(disc(BEKASI, 120))).toBeCloseTo(120, 0);
    const quarter = equivalentRadiusM(sector(BEKASI, 30, 90, 1000));
    expect(Math.abs(quarter - 500)).toBeLessThan(2);
  });

  it('bounds several areas together', () => {
    const [west, south, east, north] = boundsOf([disc(BEKASI, 100), disc(BEKASI, 300)])!;
    expect(distanceM({ lon: west, lat: south }, { lon: east, lat: north })).toBeCloseTo(848.5, 0);
    expect(boundsOf([])).toBeNull();
  });
});
