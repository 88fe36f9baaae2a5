// "Add this call to that incident": what fusion made of the call is regrouped where it decided
// otherwise. The call taker's word stands; each step is an ordinary merge or split.

import type { Acting } from './acting.svelte';
import type { Operations } from './operations.svelte';
import type { Incident } from './types';

export type Joined = 'there' | 'waiting' | 'failed';

/** The incident that fusion has put a call to, once it has. */
export function incidentOf(operations: Operations, callId: string): Incident | null {
  for (const incident of operations.incidents.values()) {
    if (incident.estimate.call_ids.includes(callId)) return incident;
  }
  return null;
}

/** Bring a call to the incident that was chosen; `waiting` while fusion hasn't placed it yet. */
export async function joinCall(
  operations: Operations,
  acting: Acting,
  callId: string,
  incidentId: string,
  reason: string,
): Promise<Joined> {
  const now = incidentOf(operations, callId);
  if (now === null) return 'waiting';
  if (now.id === incidentId) return 'there';
  const { camera_ids, call_ids } = now.estimate;
  if (camera_ids.length + call_ids.length > 1) {
    if (!(await acting.split(now, { camera_ids: [], call_ids: [callId] }, reason))) return 'failed';
  }
  const alone = incidentOf(operations, callId);
  const chosen = operations.incidents.get(incidentId);
  if (!alone || !chosen) return 'failed';
  return (await acting.merge(chosen, alone, reason)) ? 'there' : 'failed';
}
