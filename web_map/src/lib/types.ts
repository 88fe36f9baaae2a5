// The nouns as the server sends them (the JSON form of its contracts) and the answers that carry them.

export type Hazard = 'fire' | 'crash' | 'flood' | 'disaster' | 'medical' | 'crime' | 'other';
export const HAZARDS: readonly Hazard[] = [
  'fire',
  'crash',
  'flood',
  'disaster',
  'medical',
  'crime',
  'other',
];

export type IncidentState =
  | 'detected'
  | 'acknowledged'
  | 'verified'
  | 'dispatched'
  | 'en_route'
  | 'on_scene'
  | 'closed'
  | 'rejected'
  | 'duplicate'
  | 'cancelled';

export type IncidentAction =
  | 'acknowledge'
  | 'verify'
  | 'reject'
  | 'mark_duplicate'
  | 'dispatch'
  | 'en_route'
  | 'on_scene'
  | 'close'
  | 'cancel'
  | 'reopen'
  | 'note';

export type AlarmLevel = 'signal' | 'candidate' | 'alarm';
export type Priority = 1 | 2 | 3 | 4;

export interface LonLat {
  lon: number;
  lat: number;
}

export type Area =
  | { type: 'Polygon'; coordinates: [number, number][][] }
  | { type: 'MultiPolygon'; coordinates: [number, number][][][] };

export interface Region {
  area: Area;
  confidence: number;
}

export type SourceKind = 'camera' | 'caller' | 'camera_sees_nothing' | 'prior';

export interface Contribution {
  source: SourceKind;
  source_id: string;
  log_odds: number;
  sighting: string;
  distance_m: number | null;
}

export interface Estimate {
  hazard: Hazard;
  hazard_probabilities: [Hazard, number][];
  probability: number;
  location: LonLat;
  region50: Region;
  region90: Region;
  contributions: Contribution[];
  report_ids: string[];
  camera_ids: string[];
  call_ids: string[];
  started_at: string;
  last_report_at: string;
  exercise: boolean;
}

export interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

export interface KeyPicture {
  picture_id: string;
  camera_id: string;
  captured_at: string;
  width_px: number;
  height_px: number;
  box: Box;
  sighting: string;
  score: number;
}

export interface ClipPart {
  evidence_id: string;
  started_at: string;
  ended_at: string;
  n_bytes: number;
  pictures: number;
  mime: string;
  width_px: number;
  height_px: number;
}

/** What one camera saw of an incident, from before the alarm on. */
export interface EvidenceClip {
  id: string;
  incident_id: string;
  camera_id: string;
  since: string;
  until: string;
  state: 'wanted' | 'recording' | 'kept' | 'empty' | 'failed';
  requested_at: string;
  updated_at: string;
  parts: ClipPart[];
  detail: string;
}

export interface Note {
  at: string;
  actor: string;
  text: string;
}

export interface Incident {
  id: string;
  version: number;
  state: IncidentState;
  level: AlarmLevel;
  priority: Priority;
  estimate: Estimate;
  created_at: string;
  updated_at: string;
  place_name: string;
  key_picture: KeyPicture | null;
  best_camera_ids: string[];
  duplicate_of: string | null;
  acknowledged_at: string | null;
  verified_at: string | null;
  dispatched_at: string | null;
  closed_at: string | null;
  last_actor: string;
  reason: string;
  notes: Note[];
}

export interface CameraPose {
  position: LonLat;
  height_m: number;
  bearing_deg: number;
  tilt_deg: number;
  roll_deg: number;
  hfov_deg: number;
  width_px: number;
  height_px: number;
  range_m: number;
  bearing_sigma_deg: number;
}

/** A camera that turns. */
export interface PtzHead {
  wide_hfov_deg: number;
  tele_hfov_deg: number;
  learnt: { pairs: number } | null;
}

export interface Camera {
  id: string;
  name: string;
  url: string;
  position: LonLat;
  pose: CameraPose | null;
  head: PtzHead | null;
  has_credentials: boolean;
  group: string;
  enabled: boolean;
  exercise: boolean;
  version: number;
}

export type CameraState =
  | 'connecting'
  | 'live'
  | 'stalled'
  | 'frozen'
  | 'black'
  | 'moved'
  | 'wrong_clock'
  | 'low_rate'
  | 'quarantined'
  | 'corrupt'
  | 'unauthorised'
  | 'not_found'
  | 'refused'
  | 'unreachable'
  | 'invalid'
  | 'disabled'
  | 'unwatched';

export interface CameraHealth {
  camera_id: string;
  state: CameraState;
  since: string;
  detail: string;
}

export interface CameraView {
  camera: Camera;
  health: CameraHealth | null;
  field_of_view: Area | null;
}

/** What a worker found when it opened a stream once. */
export interface ProbeAnswer {
  state: CameraState;
  detail: string;
  codec: string | null;
  width_px: number | null;
  height_px: number | null;
  frames_per_s: number | null;
  picture_id: string | null;
}

export interface CalibrationRequest {
  width_px: number;
  height_px: number;
  position: LonLat;
  height_m: number;
  bearing_deg: number;
  bearing_sigma_deg: number;
  tilt_deg: number;
  roll_deg: number;
  hfov_deg: number;
  points: { u: number; v: number; lon: number; lat: number }[];
  horizon: { u: number; v: number }[];
  project: { u: number; v: number }[];
}

export interface PlacedPixel {
  u: number;
  v: number;
  lon: number | null;
  lat: number | null;
  range_m: number | null;
  bearing_deg: number;
  region95: Area | null;
}

export interface CalibrationPreview {
  pose: CameraPose;
  residuals_px: number[];
  left_out: number | null;
  warnings: string[];
  projected: PlacedPixel[];
  field_of_view: Area | null;
}

export interface HeadPosition {
  pan_deg: number;
  tilt_deg: number;
  zoom: number;
}

export interface KeptCalibration {
  id: string;
  camera_version: number;
  recorded_at: string;
  actor: string;
  origin: 'fitted' | 'proposed' | 'restored' | 'registered';
  is_current: boolean;
  pose: CameraPose;
}

export interface StoredCalibration {
  calibration: KeptCalibration;
  camera: CameraView;
}

/** A camera as an admin describes it; a password is only ever sent, never read. */
export interface CameraFields {
  name: string;
  url: string;
  position: LonLat;
  pose: CameraPose | null;
  head: { wide_hfov_deg: number; tele_hfov_deg: number } | null;
  group: string;
  enabled: boolean;
  exercise: boolean;
  username?: string | null;
  password?: string | null;
}

export type FixShape =
  | { type: 'disc'; centre: LonLat; radius_m: number }
  | {
      type: 'sector';
      antenna: LonLat;
      azimuth_deg: number;
      opening_deg: number;
      range_m: number;
    }
  | { type: 'outline'; area: Area };

export type FixMethod = 'gnss' | 'wifi' | 'cell' | 'fused' | 'manual' | 'unknown';

export interface CallerFix {
  id: string;
  call_id: string;
  shape: FixShape;
  confidence: number;
  method: FixMethod;
  source: string;
  positioned_at: string;
  received_at: string;
}

export interface Call {
  id: string;
  hazard: Hazard | null;
  note: string;
  received_at: string;
  fixes: CallerFix[];
  exercise: boolean;
  version: number;
}

export interface RankedCamera {
  camera_id: string;
  probability: number;
  distance_m: number;
  bearing_deg: number;
}

export interface User {
  username: string;
  display_name: string;
  role: string;
}

export interface City {
  name: string;
  lon: number;
  lat: number;
  radius_m: number;
  timezone: string;
}

export interface MapConfig {
  style_url: string | null;
  pmtiles_url: string | null;
  geojson_urls: string[];
  attribution: string;
  zoom: number;
}

export interface Config {
  version: string;
  city: City;
  map: MapConfig;
  exercise: boolean;
}

export interface Snapshot {
  type: 'snapshot';
  seq: number;
  incidents: Incident[];
  cameras: CameraView[];
  calls: Call[];
}

interface ChangeOf<K extends string, S> {
  type?: 'change';
  seq: number;
  prev_seq: number;
  kind: K;
  subject_id: string;
  recorded_at: string;
  actor: string;
  detail: string;
  exercise: boolean;
  subject: S;
}

export type Change =
  | ChangeOf<
      | 'incident.founded'
      | 'incident.updated'
      | 'incident.merged'
      | 'incident.split'
      | 'incident.acted',
      Incident
    >
  | ChangeOf<'camera.saved' | 'camera.removed', Camera>
  | ChangeOf<'camera.health', CameraHealth>
  | ChangeOf<'call.received' | 'call.updated', Call>
  | ChangeOf<'clip.saved', EvidenceClip>;

export interface Ping {
  type: 'ping';
  seq: number;
  at: string;
}

export type FeedMessage =
  Snapshot | (Change & { type: 'change' }) | { type: 'changes'; items: Change[] } | Ping;
