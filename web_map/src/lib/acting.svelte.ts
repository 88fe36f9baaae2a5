// What a person does to incidents: shown at once and marked as unsaved until the server agrees;
// where it doesn't, the true state comes back and a notice says why.
//
// What is pressed while an earlier step of the same incident is being saved waits for it, and is
// dropped where the server refused that one.

import { SvelteMap } from 'svelte/reactivity';
import { Problem, type ActionWords, type Api } from './api';
import { clock } from './clock.svelte';
import { expectedState, isOffered, isOpen } from './lifecycle';
import type { Operations } from './operations.svelte';
import type { AssignmentState, Incident, IncidentAction, IncidentState } from './types';

/** Everything that can be done to an incident; the last ones beside the life cycle. */
export type Deed = IncidentAction | 'undo' | 'merge' | 'split' | 'assign' | 'progress' | 'shelve';

/** What went wrong with a deed: in the incident's panel, and over the queue while another incident
 * is looked at, until it is dismissed or done. */
export interface Notice {
  kind: 'conflict' | 'failed';
  /** As it was when the deed was tried, or as the server says it is now. */
  incident: Incident;
  deed: Deed;
  /** What it was to lead to. */
  wished: IncidentState;
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
  /** By incident: who has gone on to the next one must not miss what became of the last. */
  readonly notices = new SvelteMap<string, Notice>();
  /** Those that still hold: what nobody answered may have been carried out all the same. */
  readonly standing = $derived([...this.notices.values()].filter((one) => !this.cameTrue(one)));
  /** By incident, this desk's last step; the newest last. */
  readonly undoables = new SvelteMap<string, Undoable>();

  /** Per incident, the last deed that is on its way. */
  private readonly underway = new Map<string, Promise<boolean>>();
  /** Per incident, the version that this desk's own last deed made. */
  private readonly made = new Map<string, number>();

  constructor(
    private readonly api: Api,
    private readonly operations: Operations,
    private readonly onSessionEnded: () => void,
    private readonly me: () => string,
  ) {}

  clear(): void {
    this.notices.clear();
    this.undoables.clear();
    this.made.clear();
  }

  /** What would be undone now: of the incident that is looked at, or else the newest of all. */
  undoable(selectedId: string | null): Undoable | null {
    const open = [...this.undoables.values()].filter((one) => one.until > clock.now);
    return open.find((one) => one.incidentId === selectedId) ?? open.at(-1) ?? null;
  }

  /** Somebody has looked at an incident, and goes on to another. */
  read(incidentId: string): void {
    if (this.notices.get(incidentId)?.kind === 'conflict') this.notices.delete(incidentId);
  }

  /** Returns whether the server agreed. */
  act(incident: Incident, action: IncidentAction, words: ActionWords = {}): Promise<boolean> {
    const state = expectedState(action, incident.state);
    // The same key pressed twice is one wish.
    const still = (now: Incident) => action === 'note' || isOffered(now.state, action);
    return this.inTurn(incident, action, state, still, async (now) => {
      const after = await this.api.incidents.act(now, action, words);
      this.operations.putIncident(after);
      this.undoables.delete(now.id);
      if (UNDOABLE.has(action)) {
        this.undoables.set(now.id, { incidentId: now.id, action, until: clock.now + UNDO_MS });
      }
    });
  }

  undo(incident: Incident): Promise<boolean> {
    return this.inTurn(incident, 'undo', incident.state, null, async (now) => {
      this.undoables.delete(now.id);
      this.operations.putIncident(await this.api.incidents.undo(now));
    });
  }

  /** `kept` takes `other` in. */
  merge(kept: Incident, other: Incident, reason: string): Promise<boolean> {
    return this.inTurn(kept, 'merge', kept.state, null, async (now) => {
      this.undoables.delete(now.id);
      this.undoables.delete(other.id);
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
      this.undoables.delete(now.id);
      this.operations.putIncident(made.incident);
      this.operations.putIncident(made.new);
    });
  }

  /** Send agencies, each with a unit or without; one after the other, since each moves it on. */
  assign(incident: Incident, whom: readonly [string, string | null][]): Promise<boolean> {
    const state = incident.state === 'verified' ? 'dispatched' : incident.state;
    const before = new Set(incident.assignments.map((one) => one.id));
    return this.inTurn(incident, 'assign', state, null, async (now) => {
      let latest = now;
      for (const [agencyId, unitId] of whom) {
        // Tried again, who was sent the first time isn't sent twice.
        const isSent = latest.assignments.some(
          (one) => !before.has(one.id) && one.agency_id === agencyId && one.unit_id === unitId,
        );
        if (isSent) continue;
        latest = await this.api.incidents.assign(latest, agencyId, unitId);
        this.operations.putIncident(latest);
      }
      this.undoables.delete(now.id);
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
    this.notices.delete(incident.id);
    this.operations.expect(incident.id, state);
    try {
      await work(incident);
      const after = this.operations.incidents.get(incident.id);
      if (after && isOpen(after.state)) this.made.set(incident.id, after.version);
      else this.made.delete(incident.id);
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      // Of several that are sent, the first alone leads there.
      if (deed !== 'assign' && error.current && this.isOwn(error.current, incident, state)) {
        this.operations.putIncident(error.current);
        return true;
      }
      const retry = () => void this.carryOut(this.latest(incident), deed, state, work);
      this.refuse(this.latest(incident), deed, state, error, retry);
      return false;
    } finally {
      this.operations.settle(incident.id);
    }
  }

  /** Tell that a deed has come to nothing; `retry` where the same may be tried again. */
  refuse(
    incident: Incident,
    deed: Deed,
    wished: IncidentState,
    problem: Problem,
    retry: (() => void) | null,
  ): void {
    if (problem.status === 401) {
      this.onSessionEnded();
      return;
    }
    const { current } = problem;
    if (current) this.operations.putIncident(current);
    const kind = current ? 'conflict' : 'failed';
    this.notices.set(incident.id, {
      kind,
      incident: current ?? incident,
      deed,
      wished,
      problem,
      retry: kind === 'failed' ? retry : null,
    });
  }

  /** Whether an incident is where this desk's own step, whose answer was lost, has brought it. */
  private isOwn(now: Incident, before: Incident, wished: IncidentState): boolean {
    return (
      now.version > before.version &&
      now.state === wished &&
      before.state !== wished &&
      now.last_actor === this.me()
    );
  }

  private cameTrue({ kind, deed, incident, wished }: Notice): boolean {
    const now = this.operations.incidents.get(incident.id);
    if (kind !== 'failed' || deed === 'assign') return false;
    return now !== undefined && this.isOwn(now, incident, wished);
  }
}
