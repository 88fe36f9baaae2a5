// Who responds: agencies, their units, and who was sent.

import type { Hazard } from './hazards';
import type { LonLat } from './places';

export type AssignmentState =
  'dispatched' | 'accepted' | 'en_route' | 'on_scene' | 'closed' | 'declined' | 'recalled';

export interface Assignment {
  id: string;
  agency_id: string;
  unit_id: string | null;
  unit_name: string;
  state: AssignmentState;
  by: string;
  dispatched_at: string;
  accepted_at: string | null;
  en_route_at: string | null;
  on_scene_at: string | null;
  ended_at: string | null;
  note: string;
}

export interface Unit {
  id: string;
  agency_id: string;
  name: string;
  kind: string;
  state: 'available' | 'assigned' | 'off_duty';
  position: LonLat | null;
  positioned_at: string | null;
  exercise: boolean;
  version: number;
}

export interface Agency {
  id: string;
  name: string;
  hazards: Partial<Record<Hazard, string[]>>;
}

export interface NearUnit {
  unit_id: string;
  kind: string;
  distance_m: number;
  bearing_deg: number;
}

/** A responsible agency with its nearest units that fit and are free. */
export interface Responder {
  agency_id: string;
  name: string;
  units: NearUnit[];
}
