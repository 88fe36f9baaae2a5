// When there is more than a desk can look at one by one: floods by ISA-18.2, what stands too long,
// and alarms gathered by kind and place. Pure.

import type { Incident, Priority } from './types';

/** Alarms in ten minutes above which an operator is in a flood, and under which it is over. */
export const FLOOD_ABOVE = 10;
export const FLOOD_UNTIL = 5;
/** ISA-18.2: what has stood for so long tells nothing new any more. */
export const STALE_MS = 24 * 3_600_000;

/** Whether there is a flood, given whether there was one: it doesn't flicker at its edge. */
export function isFlood(alarmsInTenMinutes: number, was: boolean): boolean {
  return was ? alarmsInTenMinutes >= FLOOD_UNTIL : alarmsInTenMinutes > FLOOD_ABOVE;
}

export function isStale(incident: Incident, now: number): boolean {
  return now - Date.parse(incident.created_at) > STALE_MS;
}

/** Incidents of one kind in one area: the most urgent one stands for all of them. */
export interface Gathered {
  key: string;
  first: Incident;
  rest: Incident[];
}

/** Each incident by itself. */
export function alone(queue: readonly Incident[]): Gathered[] {
  return queue.map((first) => ({ key: first.id, first, rest: [] }));
}

/** These groups; those that are as they were before stay the same objects, so that what is drawn
 * from them isn't drawn again. */
export function keepSame(groups: Gathered[], before: readonly Gathered[]): Gathered[] {
  const known = new Map(before.map((group) => [group.key, group]));
  return groups.map((group) => {
    const old = known.get(group.key);
    return old !== undefined && isSame(old, group) ? old : group;
  });
}

function isSame(a: Gathered, b: Gathered): boolean {
  return (
    a.first === b.first &&
    a.rest.length === b.rest.length &&
    a.rest.every((one, at) => one === b.rest[at])
  );
}

/**
 * Gather a queue in its order. Priority 1 is never gathered under another incident, and neither is
 * what somebody works on: only unseen alarms of a kind and place lie together.
 */
export function gather(queue: readonly Incident[]): Gathered[] {
  const groups = new Map<string, Gathered>();
  for (const incident of queue) {
    const alone = incident.priority === (1 satisfies Priority) || incident.state !== 'detected';
    const key = alone
      ? incident.id
      : `${incident.estimate.hazard}|${incident.place_name}|${incident.priority}`;
    const group = groups.get(key);
    if (group) group.rest.push(incident);
    else groups.set(key, { key, first: incident, rest: [] });
  }
  return [...groups.values()];
}
