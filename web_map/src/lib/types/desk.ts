// What the desk keeps beside incidents: what is kept quiet, and what shifts tell one another.

import type { Hazard } from './incidents';
import type { LonLat } from './places';

export interface Shelf {
  id: string;
  camera_id: string | null;
  hazard: Hazard | null;
  reason: string;
  actor: string;
  since: string;
  until: string;
  ended_by: string;
  exercise: boolean;
}

export interface Handover {
  id: string;
  at: string;
  actor: string;
  text: string;
  incident_ids: string[];
  /** Who of the next shift took over; empty while nobody has. */
  taken_by: string;
  taken_at: string | null;
  exercise: boolean;
}

/** Something with a name on the map. */
export interface NamedPlace {
  name: string;
  kind: 'area' | 'street' | 'spot';
  at: LonLat;
  radius_m: number;
}
