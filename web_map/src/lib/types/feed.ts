// What comes over the feed.

import type { Call } from './calls';
import type { Camera, CameraHealth, CameraView } from './cameras';
import type { DeskLoad, Handover, Shelf } from './desk';
import type { EvidenceClip } from './evidence';
import type { Incident } from './incidents';
import type { Unit } from './routing';

export interface Snapshot {
  type: 'snapshot';
  seq: number;
  incidents: Incident[];
  cameras: CameraView[];
  calls: Call[];
  units: Unit[];
  shelves: Shelf[];
  /** As it was told last; null where it never was. */
  desk_load: DeskLoad | null;
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
  | ChangeOf<'unit.saved' | 'unit.removed', Unit>
  | ChangeOf<'shelf.saved', Shelf>
  | ChangeOf<'handover.written' | 'handover.taken', Handover>
  | ChangeOf<'clip.saved', EvidenceClip>
  | ChangeOf<'desk.load', DeskLoad>;

export interface Ping {
  type: 'ping';
  seq: number;
  at: string;
}

export type FeedMessage =
  Snapshot | (Change & { type: 'change' }) | { type: 'changes'; items: Change[] } | Ping;
