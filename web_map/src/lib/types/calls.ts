// Calls and the positions of their callers.

import type { Attachment } from './evidence';
import type { Hazard } from './hazards';
import type { Area, LonLat } from './places';

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
  /** What a citizen has sent along. */
  photos: Attachment[];
  version: number;
}
