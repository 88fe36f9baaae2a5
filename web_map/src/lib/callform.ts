// The new call's position as typed: read leniently (decimal comma, real minus), refused clearly.

import type { MessageKey } from '../i18n';
import { CALLER_CONFIDENCE } from './geodesy';
import type { LonLat } from './types';

export interface CallFields {
  lon: string;
  lat: string;
  radius: string;
}

export interface ReadCall {
  ok: boolean;
  location: (LonLat & { radius_m: number; confidence: number }) | null;
  errors: Partial<Record<keyof CallFields, MessageKey>>;
}

function readNumber(text: string): number {
  const cleaned = text
    .trim()
    .replace(/[\u2212\u2013]/g, '-')
    .replace(',', '.');
  return /^[+-]?\d+(\.\d*)?$/.test(cleaned) ? Number(cleaned) : NaN;
}

/** `-6.2383, 106.9756` as maps and messengers write it; nothing where the text is one number. */
export function splitPair(text: string): { lat: string; lon: string } | null {
  const found = /^\s*([+\-\u2212]?\d+\.\d+)\s*[,;\s]\s*([+\-\u2212]?\d+\.\d+)\s*$/.exec(text);
  return found ? { lat: found[1]!, lon: found[2]! } : null;
}

export function readCall(fields: CallFields): ReadCall {
  const errors: ReadCall['errors'] = {};
  const [hasLon, hasLat] = [fields.lon.trim() !== '', fields.lat.trim() !== ''];
  if (!hasLon && !hasLat) return { ok: true, location: null, errors };
  if (hasLon !== hasLat) {
    errors[hasLon ? 'lat' : 'lon'] = 'call.halfPlace';
    return { ok: false, location: null, errors };
  }
  const [lon, lat, radius] = [fields.lon, fields.lat, fields.radius].map(readNumber) as [
    number,
    number,
    number,
  ];
  if (!(Math.abs(lon) <= 180)) errors.lon = 'call.lon.bad';
  if (!(Math.abs(lat) <= 90)) errors.lat = 'call.lat.bad';
  if (!(radius >= 1 && radius <= 100_000)) errors.radius = 'call.radius.bad';
  if (Object.keys(errors).length > 0) return { ok: false, location: null, errors };
  return {
    ok: true,
    location: { lon, lat, radius_m: radius, confidence: CALLER_CONFIDENCE },
    errors,
  };
}
