// A call's positions: all are kept, the newest is drawn.

import { boundsOf, offset } from './geodesy';
import type { Call, CallerFix, LonLat } from './types';

export function latestFix(call: Call): CallerFix | null {
  let latest: CallerFix | null = null;
  for (const fix of call.fixes) {
    if (latest === null || Date.parse(fix.positioned_at) >= Date.parse(latest.positioned_at)) {
      latest = fix;
    }
  }
  return latest;
}

/** The middle of a position, to look at; a sector's is half way out. */
export function centreOf({ shape }: CallerFix): LonLat | null {
  if (shape.type === 'disc') return shape.centre;
  if (shape.type === 'sector') {
    const [lon, lat] = offset(shape.antenna, shape.range_m / 2, shape.azimuth_deg);
    return { lon, lat };
  }
  const bounds = boundsOf([shape.area]);
  if (bounds === null) return null;
  const [west, south, east, north] = bounds;
  return { lon: (west + east) / 2, lat: (south + north) / 2 };
}
