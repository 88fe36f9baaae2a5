// Small geometry for drawing. Over a city's few kilometres a sphere and a flat plane around the
// point are off by far less than a pixel; what decides anything is computed on the server.

import type { Area, CallerFix, LonLat } from './types';

const EARTH_RADIUS_M = 6_371_008.8;
const RAD = Math.PI / 180;

/** Callers are always drawn at this confidence, whatever their source states. */
export const CALLER_CONFIDENCE = 0.95;

/** Scale a radius from one stated confidence to another: a circular Gaussian, R = σ·√(-2 ln(1-c)). */
export function radiusAt(radiusM: number, stated: number, wanted = CALLER_CONFIDENCE): number {
  return radiusM * Math.sqrt(Math.log(1 - wanted) / Math.log(1 - stated));
}

export function distanceM(a: LonLat, b: LonLat): number {
  const sinLat = Math.sin(((b.lat - a.lat) * RAD) / 2);
  const sinLon = Math.sin(((b.lon - a.lon) * RAD) / 2);
  const h = sinLat * sinLat + Math.cos(a.lat * RAD) * Math.cos(b.lat * RAD) * sinLon * sinLon;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Degrees clockwise from north, 0 to 360. */
export function bearingDeg(from: LonLat, to: LonLat): number {
  const dLon = (to.lon - from.lon) * RAD;
  const y = Math.sin(dLon) * Math.cos(to.lat * RAD);
  const x =
    Math.cos(from.lat * RAD) * Math.sin(to.lat * RAD) -
    Math.sin(from.lat * RAD) * Math.cos(to.lat * RAD) * Math.cos(dLon);
  return (Math.atan2(y, x) / RAD + 360) % 360;
}

/** The point at a distance and bearing. */
export function offset(from: LonLat, rangeM: number, bearing: number): [number, number] {
  const north = (rangeM * Math.cos(bearing * RAD)) / EARTH_RADIUS_M;
  const east = (rangeM * Math.sin(bearing * RAD)) / EARTH_RADIUS_M;
  return [from.lon + east / Math.cos(from.lat * RAD) / RAD, from.lat + north / RAD];
}

/** A disc as a GeoJSON polygon. */
export function disc(centre: LonLat, radiusM: number, corners = 72): Area {
  const ring: [number, number][] = [];
  for (let corner = 0; corner < corners; corner += 1) {
    ring.push(offset(centre, radiusM, (corner * 360) / corners));
  }
  ring.push(ring[0]!);
  return { type: 'Polygon', coordinates: [ring] };
}

export function sector(from: LonLat, azimuth: number, opening: number, rangeM: number): Area {
  if (opening >= 359) return disc(from, rangeM);
  const ring: [number, number][] = [[from.lon, from.lat]];
  const steps = Math.max(2, Math.ceil(opening / 5));
  for (let step = 0; step <= steps; step += 1) {
    ring.push(offset(from, rangeM, azimuth - opening / 2 + (opening * step) / steps));
  }
  ring.push(ring[0]!);
  return { type: 'Polygon', coordinates: [ring] };
}

/** Where a caller's position is drawn as a point. */
export function fixPoint(fix: CallerFix): LonLat {
  const { shape } = fix;
  if (shape.type === 'disc') return shape.centre;
  if (shape.type === 'outline') return middleOf(shape.area);
  const [lon, lat] = offset(shape.antenna, shape.range_m * 0.6, shape.azimuth_deg);
  return { lon, lat };
}

/** What is drawn of a caller's position: discs at the fixed confidence, other shapes as they came. */
export function fixArea(fix: CallerFix): Area {
  const { shape } = fix;
  if (shape.type === 'disc') return disc(shape.centre, fixRadiusM(fix));
  if (shape.type === 'outline') return shape.area;
  return sector(shape.antenna, shape.azimuth_deg, shape.opening_deg, shape.range_m);
}

/** The radius drawn and told; for sectors and outlines that of a disc of the same area. */
export function fixRadiusM(fix: CallerFix): number {
  const { shape } = fix;
  if (shape.type === 'disc') return radiusAt(shape.radius_m, fix.confidence);
  if (shape.type === 'sector') return shape.range_m * Math.sqrt(shape.opening_deg / 360);
  return equivalentRadiusM(shape.area);
}

function outerRings(area: Area): [number, number][][] {
  return area.type === 'Polygon'
    ? [area.coordinates[0] ?? []]
    : area.coordinates.map((polygon) => polygon[0] ?? []);
}

/** Radius of the disc that has the area's size (holes left out of account). */
export function equivalentRadiusM(area: Area): number {
  let twice = 0;
  for (const ring of outerRings(area)) {
    const scale = Math.cos((ring[0]?.[1] ?? 0) * RAD);
    let sum = 0;
    for (let i = 0; i + 1 < ring.length; i += 1) {
      const [x0, y0] = ring[i]!;
      const [x1, y1] = ring[i + 1]!;
      sum += (x0 * y1 - x1 * y0) * scale;
    }
    twice += Math.abs(sum);
  }
  const metresPerDegree = EARTH_RADIUS_M * RAD;
  return Math.sqrt((twice / 2) * metresPerDegree * metresPerDegree) / Math.sqrt(Math.PI);
}

/** West, south, east, north. */
export function boundsOf(areas: readonly Area[]): [number, number, number, number] | null {
  let bounds: [number, number, number, number] | null = null;
  for (const area of areas) {
    for (const ring of outerRings(area)) {
      for (const [lon, lat] of ring) {
        bounds ??= [lon, lat, lon, lat];
        bounds[0] = Math.min(bounds[0], lon);
        bounds[1] = Math.min(bounds[1], lat);
        bounds[2] = Math.max(bounds[2], lon);
        bounds[3] = Math.max(bounds[3], lat);
      }
    }
  }
  return bounds;
}

function middleOf(area: Area): LonLat {
  const bounds = boundsOf([area]) ?? [0, 0, 0, 0];
  return { lon: (bounds[0] + bounds[2]) / 2, lat: (bounds[1] + bounds[3]) / 2 };
}
