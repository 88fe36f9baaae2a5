// An incident as the server tells it.

import type { Attachment } from './evidence';
import type { Hazard } from './hazards';
import type { Box, LonLat, Region } from './places';
import type { Assignment } from './routing';

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

export type SourceKind = 'camera' | 'caller' | 'camera_sees_nothing' | 'call_count' | 'prior';

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
  /** The area that holds it. */
  place_name: string;
  /** The named street or crossing that it lies at. */
  street: string;
  key_picture: KeyPicture | null;
  best_camera_ids: string[];
  duplicate_of: string | null;
  acknowledged_at: string | null;
  verified_at: string | null;
  dispatched_at: string | null;
  en_route_at: string | null;
  on_scene_at: string | null;
  closed_at: string | null;
  last_actor: string;
  reason: string;
  notes: Note[];
  attachments: Attachment[];
  /** Who is responsible by the rules, or was asked by a person. */
  agency_ids: string[];
  assignments: Assignment[];
  /** It would be louder, were what it rests on not shelved. */
  shelved: boolean;
}

/** Another incident, and how probably it is the same event. */
export interface Similar {
  incident_id: string;
  probability: number;
  distance_m: number;
}
