// What one shift leaves to the next, in figures. Pure.

import type { Hazard, Incident, IncidentState, Priority } from './types';

export interface OpenOfAKind {
  priority: Priority;
  hazard: Hazard;
  count: number;
  /** How far they are, with how many of each. */
  states: [IncidentState, number][];
}

/** Open incidents by priority and kind, the most urgent first. */
export function summaryOf(incidents: Iterable<Incident>): OpenOfAKind[] {
  const found = new Map<string, { of: OpenOfAKind; states: Map<IncidentState, number> }>();
  for (const { priority, estimate, state } of incidents) {
    const key = `${priority} ${estimate.hazard}`;
    const one = found.get(key) ?? {
      of: { priority, hazard: estimate.hazard, count: 0, states: [] },
      states: new Map<IncidentState, number>(),
    };
    one.of.count += 1;
    one.states.set(state, (one.states.get(state) ?? 0) + 1);
    found.set(key, one);
  }
  return [...found.values()]
    .map(({ of, states }) => ({ ...of, states: [...states] }))
    .sort((a, b) => a.priority - b.priority || b.count - a.count);
}
