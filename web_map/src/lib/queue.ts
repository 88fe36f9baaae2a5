// What needs me, in which order. Pure.

import { isOpen } from './lifecycle';
import type { Incident } from './types';

export interface Queue {
  active: Incident[];
  candidates: Incident[];
  /** Alarms nobody has acknowledged. */
  unseen: number;
}

/** A person took it up, or fusion is sure enough to sound it. */
export function isActive(incident: Incident): boolean {
  return isOpen(incident.state) && (incident.level === 'alarm' || incident.state !== 'detected');
}

export function isUnacknowledgedAlarm(incident: Incident): boolean {
  return incident.state === 'detected' && incident.level === 'alarm';
}

/**
 * Priority first; within it what nobody has looked at, then the oldest. An incident keeps its
 * place while it changes, so that a list under somebody's hand doesn't jump.
 */
export function buildQueue(incidents: Iterable<Incident>): Queue {
  const active: Incident[] = [];
  const candidates: Incident[] = [];
  let unseen = 0;
  for (const incident of incidents) {
    if (isActive(incident)) active.push(incident);
    else if (isOpen(incident.state) && incident.level === 'candidate') candidates.push(incident);
    if (isUnacknowledgedAlarm(incident)) unseen += 1;
  }
  active.sort(byUrgency);
  candidates.sort((a, b) => b.estimate.probability - a.estimate.probability || byAge(a, b));
  return { active, candidates, unseen };
}

function byUrgency(a: Incident, b: Incident): number {
  return (
    a.priority - b.priority ||
    Number(b.state === 'detected') - Number(a.state === 'detected') ||
    byAge(a, b)
  );
}

function byAge(a: Incident, b: Incident): number {
  return compare(a.created_at, b.created_at) || compare(a.id, b.id);
}

/** By code units: times and ids are no words, and the queue is sorted at every change. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/**
 * The most urgent alarm of a queue that nobody has answered, as the desk shows it: what is being
 * answered is silent at once, and silences nothing else.
 */
export function loudest(
  active: readonly Incident[],
  shown: (incident: Incident) => Incident,
): Incident | null {
  return active.find((incident) => isUnacknowledgedAlarm(shown(incident))) ?? null;
}

/** The id `step` places after (or before) the selected one; the ends hold. */
export function neighbour(ids: readonly string[], selected: string | null, step: 1 | -1) {
  if (ids.length === 0) return null;
  const at = selected === null ? -1 : ids.indexOf(selected);
  if (at < 0) return step > 0 ? ids[0]! : ids[ids.length - 1]!;
  return ids[Math.min(ids.length - 1, Math.max(0, at + step))]!;
}
