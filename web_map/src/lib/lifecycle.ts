// The life of an incident: what may be done in which state, where it leads, and on which key.
// The server decides; this copy only says what to offer and what to show until it has answered.

import type { Incident, IncidentAction, IncidentState } from './types';

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
