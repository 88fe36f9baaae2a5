// What a person does to incidents: shown at once and marked as unsaved until the server agrees;
// where it doesn't, the true state comes back and a notice says why.
//
// What is pressed while an earlier step of the same incident is being saved waits for it, and is
// dropped where the server refused that one.

import { Problem, type ActionWords, type Api } from './api';
import { clock } from './clock.svelte';
import { expectedState, isOffered, isOpen } from './lifecycle';
import type { Operations } from './operations.svelte';
import type { AssignmentState, Incident, IncidentAction, IncidentState } from './types';

/** Everything that can be done to an incident; the last ones beside the life cycle. */
export type Deed = IncidentAction | 'undo' | 'merge' | 'split' | 'assign' | 'progress' | 'shelve';

/** What went wrong with a deed, shown in the incident's panel until it is dismissed. */
export interface Notice {
  kind: 'conflict' | 'failed';
  incidentId: string;
  deed: Deed;
  problem: Problem;
  /** Try the same again; none where that can't help. */
  retry: (() => void) | null;
}

/** A step that can still be taken back by who took it. */
export interface Undoable {
  incidentId: string;
  action: IncidentAction;
  until: number;
}

/** What the server lets be undone, a little less long than it does. */
const UNDO_MS = 9 * 60_000;
const UNDOABLE: ReadonlySet<IncidentAction> = new Set([
  'acknowledge',
  'verify',
  'reject',
  'mark_duplicate',
  'close',
  'cancel',
  'reopen',
]);

export class Acting {
  notice = $state<Notice | null>(null);
  /** The last step of this desk. */
  undoable = $state<Undoable | null>(null);

  /** Per incident, the last deed that is on its way. */
  private readonly underway = new Map<string, Promise<boolean>>();
  /** Per incident, the version that this desk's own last deed made. */
  private readonly made = new Map<string, number>();

  constructor(
    private readonly api: Api,
    private readonly operations: Operations,
    private readonly onSessionEnded: () => void,
  ) {}

  clear(): void {
    this.notice = null;
    this.undoable = null;
    this.made.clear();
  }

  /** Returns whether the server agreed. */
  act(incident: Incident, action: IncidentAction, words: ActionWords = {}): Promise<boolean> {
    const state = expectedState(action, incident.state);
    // The same key pressed twice is one wish.
    const still = (now: Incident) => action === 'note' || isOffered(now.state, action);
    return this.inTurn(incident, action, state, still, async (now) => {
      const after = await this.api.incidents.act(now, action, words);
      this.operations.putIncident(after);
      if (UNDOABLE.has(action)) {
        this.undoable = { incidentId: now.id, action, until: clock.now + UNDO_MS };
      } else if (this.undoable?.incidentId === now.id) {
        this.undoable = null;
      }
    });
  }

  undo(incident: Incident): Promise<boolean> {
    return this.inTurn(incident, 'undo', incident.state, null, async (now) => {
      this.undoable = null;
      this.operations.putIncident(await this.api.incidents.undo(now));
    });
  }

  /** `kept` takes `other` in. */
  merge(kept: Incident, other: Incident, reason: string): Promise<boolean> {
    return this.inTurn(kept, 'merge', kept.state, null, async (now) => {
      this.undoable = null;
      this.operations.putIncident(await this.api.incidents.merge(now, this.latest(other), reason));
    });
  }

  split(
    incident: Incident,
    what: { camera_ids: string[]; call_ids: string[] },
    reason: string,
  ): Promise<boolean> {
    return this.inTurn(incident, 'split', incident.state, null, async (now) => {
      const made = await this.api.incidents.split(now, what, reason);
      this.undoable = null;
      this.operations.putIncident(made.incident);
      this.operations.putIncident(made.new);
    });
  }

  /** Send agencies, each with a unit or without; one after the other, since each moves it on. */
  assign(incident: Incident, whom: readonly [string, string | null][]): Promise<boolean> {
    const state = incident.state === 'verified' ? 'dispatched' : incident.state;
    return this.inTurn(incident, 'assign', state, null, async (now) => {
      let latest = now;
      for (const [agencyId, unitId] of whom) {
        latest = await this.api.incidents.assign(latest, agencyId, unitId);
        this.operations.putIncident(latest);
      }
      this.undoable = null;
    });
  }

  progress(incident: Incident, assignmentId: string, state: AssignmentState): Promise<boolean> {
    return this.inTurn(incident, 'progress', incident.state, null, async (now) => {
      this.operations.putIncident(await this.api.incidents.progress(now, assignmentId, state));
    });
  }

  /** What one has done oneself since one looked is no surprise to oneself. */
  private knowing(incident: Incident): Incident {
    const own = this.made.get(incident.id) ?? 0;
    return own > incident.version ? { ...incident, version: own } : incident;
  }

  private latest(incident: Incident): Incident {
    return this.operations.incidents.get(incident.id) ?? incident;
  }

  private async inTurn(
    incident: Incident,
    deed: Deed,
    state: IncidentState,
    still: ((now: Incident) => boolean) | null,
    work: (now: Incident) => Promise<void>,
  ): Promise<boolean> {
    const { id } = incident;
    const run = (now: Incident) => this.carryOut(now, deed, state, work);
    const before = this.underway.get(id);
    const turn = before
      ? before.then((agreed) => {
          const now = this.latest(incident);
          return agreed && (still === null || still(now)) && run(now);
        })
      : run(this.knowing(incident));
    this.underway.set(id, turn);
    try {
      return await turn;
    } finally {
      if (this.underway.get(id) === turn) this.underway.delete(id);
    }
  }

  private async carryOut(
    incident: Incident,
    deed: Deed,
    state: IncidentState,
    work: (now: Incident) => Promise<void>,
  ): Promise<boolean> {
    this.notice = null;
    this.operations.expect(incident.id, state);
    try {
      await work(incident);
      const after = this.operations.incidents.get(incident.id);
      if (after && isOpen(after.state)) this.made.set(incident.id, after.version);
      else this.made.delete(incident.id);
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const retry = () => void this.carryOut(this.latest(incident), deed, state, work);
      this.refuse(incident.id, deed, error, retry);
      return false;
    } finally {
      this.operations.settle(incident.id);
    }
  }

  private refuse(incidentId: string, deed: Deed, problem: Problem, retry: () => void): void {
    if (problem.status === 401) {
      this.onSessionEnded();
      return;
    }
    if (problem.current) this.operations.putIncident(problem.current);
    if (this.operations.selectedId === incidentId) {
      const kind = problem.current ? 'conflict' : 'failed';
      this.notice = { kind, incidentId, deed, problem, retry: kind === 'failed' ? retry : null };
    }
  }
}
