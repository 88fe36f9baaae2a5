// Nouns for tests: lawful defaults, overridden where a test speaks of them.

import type {
  Area,
  Assignment,
  Call,
  CameraView,
  Change,
  Estimate,
  Incident,
  Snapshot,
} from '../src/lib/types';

export const SQUARE: Area = {
  type: 'Polygon',
  coordinates: [
    [
      [106.99, -6.24],
      [106.991, -6.24],
      [106.991, -6.239],
      [106.99, -6.239],
      [106.99, -6.24],
    ],
  ],
};

export function estimate(over: Partial<Estimate> = {}): Estimate {
  return {
    hazard: 'fire',
    hazard_probabilities: [['fire', 1]],
    probability: 0.96,
    location: { lon: 106.9905, lat: -6.2395 },
    region50: { area: SQUARE, confidence: 0.5 },
    region90: { area: SQUARE, confidence: 0.9 },
    contributions: [],
    report_ids: [],
    camera_ids: [],
    call_ids: [],
    started_at: '2026-11-22T02:00:00Z',
    last_report_at: '2026-11-22T02:00:10Z',
    exercise: false,
    ...over,
  };
}

export function incident(over: Partial<Incident> = {}): Incident {
  return {
    id: 'i1',
    version: 1,
    state: 'detected',
    level: 'alarm',
    priority: 1,
    estimate: estimate(),
    created_at: '2026-11-22T02:00:00Z',
    updated_at: '2026-11-22T02:00:00Z',
    place_name: 'Kayuringin Jaya',
    street: '',
    key_picture: null,
    best_camera_ids: [],
    duplicate_of: null,
    acknowledged_at: null,
    verified_at: null,
    dispatched_at: null,
    en_route_at: null,
    on_scene_at: null,
    closed_at: null,
    last_actor: 'system',
    reason: '',
    notes: [],
    attachments: [],
    agency_ids: [],
    assignments: [],
    shelved: false,
    ...over,
  };
}

export function assignment(over: Partial<Assignment> = {}): Assignment {
  return {
    id: 'a1',
    agency_id: 'damkar',
    unit_id: null,
    unit_name: '',
    state: 'dispatched',
    by: 'ayu',
    dispatched_at: '2026-11-22T02:01:00Z',
    accepted_at: null,
    en_route_at: null,
    on_scene_at: null,
    ended_at: null,
    note: '',
    ...over,
  };
}

export function camera(id: string, over: Partial<CameraView> = {}): CameraView {
  const position = { lon: 106.99, lat: -6.24 };
  return {
    camera: {
      id,
      name: id.toUpperCase(),
      position,
      pose: {
        position,
        height_m: 8,
        bearing_deg: 90,
        tilt_deg: -15,
        roll_deg: 0,
        hfov_deg: 60,
        width_px: 1280,
        height_px: 720,
        range_m: 150,
        bearing_sigma_deg: 4,
      },
      url: 'rtsp://10.0.0.1/one',
      head: null,
      has_credentials: false,
      any_certificate: false,
      road_region: null,
      group: '',
      enabled: true,
      exercise: false,
      version: 1,
    },
    health: { camera_id: id, state: 'live', since: '2026-11-22T01:00:00Z', detail: '' },
    field_of_view: SQUARE,
    ...over,
  };
}

export function call(id: string, over: Partial<Call> = {}): Call {
  return {
    id,
    hazard: 'fire',
    note: '',
    received_at: '2026-11-22T02:00:05Z',
    fixes: [
      {
        id: `${id}-fix`,
        call_id: id,
        shape: { type: 'disc', centre: { lon: 106.99, lat: -6.24 }, radius_m: 52 },
        confidence: 0.68,
        method: 'gnss',
        source: 'aml',
        positioned_at: '2026-11-22T02:00:05Z',
        received_at: '2026-11-22T02:00:05Z',
      },
    ],
    exercise: false,
    photos: [],
    version: 1,
    ...over,
  };
}

export function snapshot(over: Partial<Snapshot> = {}): Snapshot {
  return {
    type: 'snapshot',
    seq: 10,
    incidents: [],
    cameras: [],
    calls: [],
    units: [],
    shelves: [],
    desk_load: null,
    ...over,
  };
}

export function loadOf(seq: number, floodSince: string | null): Change & { type: 'change' } {
  return {
    type: 'change',
    seq,
    prev_seq: seq - 1,
    kind: 'desk.load',
    subject_id: 'alarms',
    recorded_at: '2026-11-22T02:01:00Z',
    actor: 'system',
    detail: '',
    exercise: false,
    subject: {
      at: '2026-11-22T02:01:00Z',
      alarms_last_ten_minutes: 12,
      alarms_last_hour: 14,
      budget_per_hour: 6,
      odds_factor: 2.33,
      odds_bound: 8,
      flood_since: floodSince,
      groups: [],
      chattering: [],
    },
  };
}

export function acted(seq: number, subject: Incident, prev = seq - 1): Change & { type: 'change' } {
  return {
    type: 'change',
    seq,
    prev_seq: prev,
    kind: 'incident.acted',
    subject_id: subject.id,
    recorded_at: '2026-11-22T02:01:00Z',
    actor: 'ayu',
    detail: '',
    exercise: false,
    subject,
  };
}
