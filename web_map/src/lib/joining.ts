// "Add this call to that incident": what fusion made of the call is regrouped where it decided
// otherwise. The call taker's word stands; each step is an ordinary merge or split.

import { SvelteMap } from 'svelte/reactivity';
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

/** The wishes of a desk: each is carried out once fusion has placed its call, whoever still looks. */
export class Joinings {
  /** By call, how far it has come. */
  readonly states = new SvelteMap<string, Joined>();
  private readonly wishes = new Map<string, { incidentId: string; reason: string }>();

  constructor(
    private readonly operations: Operations,
    private readonly acting: Acting,
  ) {
    operations.subscribe(({ what }) => {
      if (this.wishes.size > 0 && (what === 'incident' || what === 'all')) this.look();
    });
  }

  clear(): void {
    this.wishes.clear();
    this.states.clear();
  }

  /** Bring a call to an incident as soon as that can be done. */
  wish(callId: string, incidentId: string, reason: string): void {
    this.wishes.set(callId, { incidentId, reason });
    this.states.set(callId, 'waiting');
    this.look();
  }

  private look(): void {
    for (const [callId, { incidentId, reason }] of [...this.wishes]) {
      if (incidentOf(this.operations, callId) === null) continue;
      this.wishes.delete(callId);
      void joinCall(this.operations, this.acting, callId, incidentId, reason).then((how) => {
        if (this.states.has(callId)) this.states.set(callId, how);
      });
    }
  }
}

/** Bring a call to the incident that was chosen; `waiting` while fusion hasn't placed it yet. */
async function joinCall(
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
