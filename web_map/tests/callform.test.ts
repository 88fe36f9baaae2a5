import { describe, expect, it } from 'vitest';
import { readCall, splitPair } from '../src/lib/callform';

describe('a typed position', () => {
  it('is read with a decimal comma or point, and a real minus sign', () => {
    expect(readCall({ lon: '106,9905', lat: '\u22126.2395', radius: '50' }).location).toEqual({
      lon: 106.9905,
      lat: -6.2395,
      radius_m: 50,
      confidence: 0.95,
    });
  });

  it('may be left out, whole', () => {
    expect(readCall({ lon: '', lat: ' ', radius: '50' })).toMatchObject({
      ok: true,
      location: null,
    });
    expect(readCall({ lon: '107', lat: '', radius: '50' }).errors).toEqual({
      lat: 'call.halfPlace',
    });
  });

  it.each([
    ['107', '107', '50', { lat: 'call.lat.bad' }],
    ['200', '-6', '50', { lon: 'call.lon.bad' }],
    ['107', '-6', '0', { radius: 'call.radius.bad' }],
    ['1e2', 'x', '', { lon: 'call.lon.bad', lat: 'call.lat.bad', radius: 'call.radius.bad' }],
  ])('is refused by field: %s %s %s', (lon, lat, radius, errors) => {
    const read = readCall({ lon, lat, radius });
    expect(read.ok).toBe(false);
    expect(read.location).toBeNull();
    expect(read.errors).toEqual(errors);
  });

  it('is two numbers where a pair was pasted, and one where a comma is decimal', () => {
    expect(splitPair(' \u22126.2383, 106.9756 ')).toEqual({ lat: '\u22126.2383', lon: '106.9756' });
    expect(splitPair('-6.2383 106.9756')).toEqual({ lat: '-6.2383', lon: '106.9756' });
    expect(splitPair('-6,2383')).toBe(null);
    expect(splitPair('-6.2383')).toBe(null);
  });
});
