import { describe, expect, it } from 'vitest';
import { letterUrl } from '../src/lib/api/deliveries';
import { foldedOutages } from '../src/lib/cameralist';
import { alarmLines, falseAlarmsACameraDay, heatSquares } from '../src/lib/figures';
import { learntName, learntValue } from '../src/lib/learnt';
import { suggestedPassword } from '../src/lib/passwords';
import { scopeRows } from '../src/lib/scopes';
import { liveShare, spansOf } from '../src/lib/timeline';
import type { CameraState, HealthEntry } from '../src/lib/types';
import { preferences } from '../src/lib/preferences.svelte';
import { camera } from './builders';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const BEGIN = Date.parse('2026-11-01T00:00:00Z');

describe('a letter that could not be used', () => {
  it('has an address by topic and entry, whatever stands in them', () => {
    expect(letterUrl('detections/17-0')).toBe('/api/v1/dead-letters/detections/17-0');
    expect(letterUrl('clips/a b?')).toBe('/api/v1/dead-letters/clips/a%20b%3F');
  });
});

describe('the alarm load', () => {
  const calm = {
    operators: 1,
    alarms: 40,
    average: 0.2,
    busiest: 4,
    busiest_at: null,
    share_fine: 0.97,
    share_manageable: 0.02,
    share_in_flood: 0,
    chattering: [],
    stale: [],
    unacknowledged: 0,
  };

  it('meets what ISA-18.2 asks, or says which line it misses', () => {
    expect(alarmLines(calm).every((line) => line.met)).toBe(true);
    const loud = { ...calm, busiest: 11, share_in_flood: 0.02, share_fine: 0.5 };
    const missed = alarmLines(loud).filter((line) => !line.met);
    expect(missed.map((line) => line.name)).toEqual(['busiest', 'fine', 'flood']);
  });

  it('counts false alarms a camera and a day that has passed', () => {
    const row = { camera_id: 'a', hazard: 'fire', day: '2026-11-01', confirmed: 0, undecided: 0 };
    const report = {
      since: new Date(BEGIN).toISOString(),
      until: new Date(BEGIN + 30 * DAY).toISOString(),
      ledger: [
        { ...row, rejected: 6 },
        { ...row, camera_id: '', rejected: 9 },
      ],
    };
    // Calls alone are no camera's; of a month that runs on only what has passed counts.
    expect(falseAlarmsACameraDay(report, 3, BEGIN + 10 * DAY)).toBeCloseTo(0.2);
    expect(falseAlarmsACameraDay(report, 3, BEGIN + 90 * DAY)).toBeCloseTo(6 / 90);
    expect(falseAlarmsACameraDay(report, 0, BEGIN + DAY)).toBe(null);
    expect(falseAlarmsACameraDay(report, 3, BEGIN - DAY)).toBe(null);
  });
});

describe('the heat map', () => {
  it('draws squares of the stated side, each against the fullest', () => {
    const cell = { lon: 107, lat: -6.2, by_kind: {} };
    const [full, other] = heatSquares({
      cell_m: 500,
      cells: [
        { ...cell, count: 4 },
        { ...cell, count: 1 },
      ],
    });
    expect([full?.share, other?.share]).toEqual([1, 0.25]);
    const ring = full?.area.type === 'Polygon' ? full.area.coordinates[0] : undefined;
    const [west, south] = ring?.[0] ?? [0, 0];
    const [east, north] = ring?.[2] ?? [0, 0];
    expect((north - south) * 111_320).toBeCloseTo(500, 3);
    expect((east - west) * 111_320 * Math.cos((6.2 * Math.PI) / 180)).toBeCloseTo(500, 3);
  });
});

describe('a camera’s past', () => {
  const entry = (state: CameraState, hour: number): HealthEntry => ({
    seq: hour,
    recorded_at: '',
    subject: {
      camera_id: 'a',
      state,
      detail: '',
      since: new Date(BEGIN + hour * HOUR).toISOString(),
    },
  });

  it('is spans from the first word until now, and how much of it was live', () => {
    const spans = spansOf(
      [entry('live', 3), entry('stalled', 2), entry('live', 0)],
      BEGIN + 4 * HOUR,
    );
    expect(spans.map((span) => [span.state, span.share])).toEqual([
      ['live', 0.5],
      ['stalled', 0.25],
      ['live', 0.25],
    ]);
    expect(liveShare(spans)).toBe(0.75);
    expect(spansOf([], BEGIN)).toEqual([]);
  });

  it('stands under its site where the whole site is down', () => {
    const views = ['a', 'b', 'c', 'd'].map((id) => camera(id));
    const outage = { site: '10.0.0.1', since: '', cameras: ['a', 'b', 'c'], of: 3 };
    const { sites, rest } = foldedOutages([outage], views);
    expect(sites.map((one) => one.views.length)).toEqual([3]);
    expect(rest.map((view) => view.camera.id)).toEqual(['d']);
    // A search that leaves none of them leaves no empty heading.
    expect(foldedOutages([outage], views.slice(3)).sites).toEqual([]);
  });
});

describe('keys and passwords', () => {
  it('shows scopes a thing a line', () => {
    expect(scopeRows(['units:write', 'audit:read', 'units:read'])).toEqual([
      { thing: 'audit', read: 'audit:read', write: null },
      { thing: 'units', read: 'units:read', write: 'units:write' },
    ]);
  });

  it('suggests passwords that can be read out and are never the same', () => {
    const some = new Set(Array.from({ length: 50 }, suggestedPassword));
    expect(some.size).toBe(50);
    for (const one of some) expect(one).toMatch(/^([a-hjkmnp-z]{4}-){4}[a-hjkmnp-z]{4}$/);
  });
});

describe('learnt figures', () => {
  it('are told in words, with pairs as pairs', () => {
    preferences.language = 'en';
    expect(learntName('clutter_tracks_per_day/crash/cam-7', () => 'Kranji')).toBe(
      'False sightings a day, crash: Kranji',
    );
    expect(learntName('something_new', (id) => id)).toBe('something_new');
    expect(learntValue('existence', [0.2, 0.11, 0.9, 0.83])).toBe(
      '20% turns out 11% · 90% turns out 83%',
    );
    expect(learntValue('false_calls_per_km2_day', [])).toBe('–');
  });
});
