// Cameras, how they are, and what they see.

import type { Area, LonLat } from './places';

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

/** How a turning camera is asked where it points; the ends of its scales, the least first. */
export interface OnvifHead {
  port: number;
  profile: string;
  pan_deg: [number, number];
  tilt_deg: [number, number];
}

/** A camera that turns. */
export interface PtzHead {
  wide_hfov_deg: number;
  tele_hfov_deg: number;
  /** Null: its video system tells. */
  onvif: OnvifHead | null;
  learnt: { pairs: number } | null;
}

/** Where the road lies in the picture, in shares of its width and height. */
export interface RoadRegion {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

export interface Camera {
  id: string;
  name: string;
  url: string;
  position: LonLat;
  pose: CameraPose | null;
  head: PtzHead | null;
  has_credentials: boolean;
  any_certificate: boolean;
  group: string;
  enabled: boolean;
  exercise: boolean;
  road_region: RoadRegion | null;
  version: number;
}

/** A host that is down with all or nearly all of its cameras. */
export interface SiteOutage {
  site: string;
  since: string;
  cameras: string[];
  of: number;
}

export interface HealthEntry {
  seq: number;
  recorded_at: string;
  subject: CameraHealth;
}

export interface ImportReport {
  cameras: number;
  new: number;
  changed: number;
  written: boolean;
  /** A row as it stands in the file; 0 is the file itself. */
  problems: { row: number; field: string; why: string }[];
}

export interface BulkAnswer {
  changed: { id: string; version: number }[];
  conflicts: string[];
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

/** A camera as an admin describes it; a password is only ever sent, never read. */
export interface CameraFields {
  name: string;
  url: string;
  position: LonLat;
  pose: CameraPose | null;
  head: Omit<PtzHead, 'learnt'> | null;
  any_certificate: boolean;
  group: string;
  enabled: boolean;
  exercise: boolean;
  road_region: RoadRegion | null;
  username?: string | null;
  password?: string | null;
}

export interface RankedCamera {
  camera_id: string;
  probability: number;
  distance_m: number;
  bearing_deg: number;
}
