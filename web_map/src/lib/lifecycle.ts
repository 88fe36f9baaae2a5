// The life of an incident: what may be done in which state, where it leads, and on which key.
// The server decides; this copy only says what to offer and what to show until it has answered.

import type { AssignmentState, Incident, IncidentAction, IncidentState } from './types';

const UNDECIDED: readonly IncidentState[] = ['detected', 'acknowledged'];
const RESPONDING: readonly IncidentState[] = ['dispatched', 'en_route', 'on_scene'];
const ENDED: readonly IncidentState[] = ['closed', 'rejected', 'duplicate', 'cancelled'];

/** Actions that the panel offers in each state, the expected next step first. */
const OFFERED: Record<IncidentState, readonly IncidentAction[]> = {
  detected: ['acknowledge', 'verify', 'reject'],
  acknowledged: ['verify', 'reject'],
  verified: ['dispatch', 'close', 'reject'],
  dispatched: ['en_route', 'on_scene', 'close', 'cancel'],
  en_route: ['on_scene', 'close', 'cancel'],
  on_scene: ['close', 'cancel'],
  closed: ['reopen'],
  rejected: ['reopen'],
  duplicate: ['reopen'],
  cancelled: ['reopen'],
};

const LEADS_TO: Partial<Record<IncidentAction, IncidentState>> = {
  acknowledge: 'acknowledged',
  verify: 'verified',
  reject: 'rejected',
  mark_duplicate: 'duplicate',
  dispatch: 'dispatched',
  en_route: 'en_route',
  on_scene: 'on_scene',
  close: 'closed',
  cancel: 'cancelled',
  reopen: 'acknowledged',
};

export const ACTION_KEYS: Partial<Record<IncidentAction, string>> = {
  acknowledge: 'A',
  verify: 'V',
  reject: 'R',
  dispatch: 'D',
  en_route: 'E',
  on_scene: 'O',
  close: 'X',
  cancel: 'Z',
  reopen: 'U',
};

/** What the desk does beside the life cycle, and on which key. */
export type DeskDeed = 'assign' | 'merge' | 'split' | 'mark_duplicate' | 'shelve' | 'undo';

export const DEED_KEYS: Record<DeskDeed, string> = {
  assign: 'D',
  merge: 'G',
  split: 'Y',
  mark_duplicate: 'Q',
  shelve: 'F',
  undo: 'B',
};

const SENDABLE: readonly IncidentState[] = ['verified', ...RESPONDING];

/** What may be done beside the life cycle; undoing depends on whose step was the last. */
export function offeredDeeds(incident: Incident): DeskDeed[] {
  if (!isOpen(incident.state)) return [];
  const { camera_ids, call_ids } = incident.estimate;
  const deeds: DeskDeed[] = SENDABLE.includes(incident.state) ? ['assign'] : [];
  deeds.push('merge');
  if (camera_ids.length + call_ids.length > 1) deeds.push('split');
  deeds.push('mark_duplicate');
  if (camera_ids.length > 0) deeds.push('shelve');
  return deeds;
}

export function deedForKey(key: string): DeskDeed | null {
  const wanted = key.toUpperCase();
  for (const [deed, letter] of Object.entries(DEED_KEYS)) {
    if (letter === wanted) return deed as DeskDeed;
  }
  return null;
}

/** What may be told of an assignment next, the expected step first. */
export const ASSIGNMENT_NEXT: Record<AssignmentState, readonly AssignmentState[]> = {
  dispatched: ['en_route', 'on_scene', 'recalled'],
  accepted: ['en_route', 'on_scene', 'recalled'],
  en_route: ['on_scene', 'recalled'],
  on_scene: ['closed', 'recalled'],
  closed: [],
  declined: [],
  recalled: [],
};

const NEEDS_REASON: ReadonlySet<IncidentAction> = new Set(['reject', 'cancel', 'reopen']);

export function offeredActions(state: IncidentState): readonly IncidentAction[] {
  return OFFERED[state];
}

export function isOffered(state: IncidentState, action: IncidentAction): boolean {
  return OFFERED[state].includes(action);
}

export function actionForKey(key: string): IncidentAction | null {
  const wanted = key.toUpperCase();
  for (const [action, letter] of Object.entries(ACTION_KEYS)) {
    if (letter === wanted) return action as IncidentAction;
  }
  return null;
}

export function needsReason(action: IncidentAction): boolean {
  return NEEDS_REASON.has(action);
}

/** The state that an action is expected to lead to; a note changes none. */
export function expectedState(action: IncidentAction, from: IncidentState): IncidentState {
  return LEADS_TO[action] ?? from;
}

export function isOpen(state: IncidentState): boolean {
  return !ENDED.includes(state);
}

export type LifeStep = 'detected' | 'acknowledged' | 'verified' | 'dispatched' | 'ended';

export interface LifeStepView {
  step: LifeStep;
  phase: 'done' | 'now' | 'open';
  /** When the step was reached; null where it wasn't, or the server doesn't say. */
  at: string | null;
}

/** The five steps of the life-cycle bar. */
export function lifeSteps(incident: Incident): LifeStepView[] {
  const reached: [LifeStep, string | null][] = [
    ['detected', incident.created_at],
    ['acknowledged', incident.acknowledged_at],
    ['verified', incident.verified_at],
    ['dispatched', incident.dispatched_at],
    ['ended', incident.closed_at],
  ];
  const now = currentStep(incident.state);
  const nowIndex = reached.findIndex(([step]) => step === now);
  return reached.map(([step, at], index) => {
    if (index === nowIndex) return { step, phase: 'now', at: at ?? incident.updated_at };
    // A rejected incident was never verified, though "ended" stands after it.
    return { step, phase: index < nowIndex && at !== null ? 'done' : 'open', at };
  });
}

function currentStep(state: IncidentState): LifeStep {
  if (UNDECIDED.includes(state)) return state as LifeStep;
  if (state === 'verified') return 'verified';
  return RESPONDING.includes(state) ? 'dispatched' : 'ended';
}
