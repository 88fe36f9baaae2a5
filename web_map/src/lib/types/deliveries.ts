// Who is sent which changes, and what could not be delivered or used.

import type { Hazard } from './hazards';
import type { AlarmLevel } from './incidents';

/** Lists that are empty let all through. */
export interface Webhook {
  id: string;
  name: string;
  url: string;
  kinds: string[];
  hazards: Hazard[];
  levels: AlarmLevel[];
  areas: string[];
  agencies: string[];
  groups: string[];
  /** Exercises only, or what is real only. */
  exercise: boolean;
  enabled: boolean;
  version: number;
}

export type WebhookFields = Omit<Webhook, 'id' | 'version'>;

export interface WebhookItem {
  webhook: Webhook;
  waiting: number;
  dead: number;
  failures: number;
  paused_until: string | null;
  problem: string;
}

/** A change that could not be delivered. */
export interface Undelivered {
  seq: number;
  subject_id: string;
  attempts: number;
  queued_at: string;
  problem: string;
}

/** Something that came and could not be used, or not be believed. */
export interface Unused {
  id: string;
  name: string;
  at: string;
  why: string;
  /** Its bytes as they came. */
  url: string;
  canBeTaken: boolean;
}

export type Decision = 'take' | 'discard';

/** A report that is stored, and that fusion could not work with. */
export interface SetAside {
  report_id: string;
  problem: string;
}
