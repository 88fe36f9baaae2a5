// What the server has told, keyed, each value replaced whole: a change re-renders what it touches.
// Nothing here is invented; what a person just did and the server hasn't confirmed lies beside it
// in `pending`, and is shown as such.

import { SvelteMap } from 'svelte/reactivity';
import { isOpen } from './lifecycle';
import { isUnacknowledgedAlarm } from './queue';
import { samePose } from './savedcameras';
import type {
  Call,
  Camera,
  CameraHealth,
  CameraView,
  Change,
  DeskLoad,
  Handover,
  Incident,
  IncidentState,
  Shelf,
  Snapshot,
  Unit,
} from './types';

export interface Pending {
  state: IncidentState;
}

/** What changed, for readers that aren't components (the map, the sound). */
export type Touched =
  { what: 'all' } | { what: 'incident' | 'camera' | 'call'; id: string } | { what: 'selection' };

/** Calls that belong to no open incident are forgotten after this long. */
const CALL_KEPT_MS = 2 * 3600_000;
/** More than this many handovers are in the server's list only. */
const HANDOVERS_KEPT = 50;
const SICK: ReadonlySet<string> = new Set([
  'stalled',
  'frozen',
  'black',
  'moved',
  'wrong_clock',
  'low_rate',
  'quarantined',
  'corrupt',
  'unauthorised',
  'not_found',
  'refused',
  'unreachable',
  'invalid',
]);

export function isSick(view: CameraView): boolean {
  return view.camera.enabled && view.health !== null && SICK.has(view.health.state);
}

export class Operations {
  readonly incidents = new SvelteMap<string, Incident>();
  readonly cameras = new SvelteMap<string, CameraView>();
  readonly calls = new SvelteMap<string, Call>();
  readonly units = new SvelteMap<string, Unit>();
  /** What doesn't sound now. */
  readonly shelves = new SvelteMap<string, Shelf>();
  /** What earlier shifts have told, by id; filled by the desk and the feed. */
  readonly handovers = new SvelteMap<string, Handover>();
  readonly pending = new SvelteMap<string, Pending>();
  /** What the service says of the load of alarms; null while it never said anything. */
  deskLoad = $state.raw<DeskLoad | null>(null);
  /** False until the first snapshot. */
  loaded = $state(false);
  seq = $state(0);
  sickCameras = $state(0);
  /** Counts up whenever the selected incident's clips have changed. */
  clipsSaved = $state(0);
  selectedId = $state<string | null>(null);

  private readonly listeners = new Set<(touched: Touched) => void>();

  /** Cameras whose field of view must be asked for again. */
  onCameraSaved: (id: string) => void = () => undefined;
  /** An incident has become an alarm that nobody has acknowledged. */
  onAlarm: (incident: Incident) => void = () => undefined;

  subscribe(listener: (touched: Touched) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get selected(): Incident | null {
    return this.selectedId === null ? null : (this.incidents.get(this.selectedId) ?? null);
  }

  select(id: string | null): void {
    if (this.selectedId === id) return;
    const before = this.selected;
    this.selectedId = id;
    // An ended incident stays only as long as somebody looks at it.
    if (before && !isOpen(before.state)) this.forget(before.id);
    this.tell({ what: 'selection' });
  }

  /** The incident as it will be if the server agrees with what was just done. */
  shown(incident: Incident): Incident {
    const pending = this.pending.get(incident.id);
    return pending ? { ...incident, state: pending.state } : incident;
  }

  expect(id: string, state: IncidentState): void {
    this.pending.set(id, { state });
    this.tell({ what: 'incident', id });
  }

  settle(id: string): void {
    if (this.pending.delete(id)) this.tell({ what: 'incident', id });
  }

  replaceAll(snapshot: Snapshot): void {
    replace(this.incidents, snapshot.incidents, this.selected);
    replace(this.cameras, snapshot.cameras, null);
    replace(this.calls, snapshot.calls, null);
    replace(this.units, snapshot.units, null);
    replace(this.shelves, snapshot.shelves, null);
    this.deskLoad = snapshot.desk_load;
    this.sickCameras = count(this.cameras.values(), isSick);
    this.seq = snapshot.seq;
    this.loaded = true;
    this.tell({ what: 'all' });
  }

  /** Forget everything: somebody signed out. */
  clear(): void {
    this.selectedId = null;
    this.loaded = false;
    this.pending.clear();
    this.handovers.clear();
    this.replaceAll({
      type: 'snapshot',
      seq: 0,
      incidents: [],
      cameras: [],
      calls: [],
      units: [],
      shelves: [],
      desk_load: null,
    });
    this.loaded = false;
  }

  applyAll(changes: readonly Change[]): void {
    for (const change of changes) {
      this.apply(change);
      this.seq = change.seq;
    }
  }

  /** An incident from the feed or an answer; an older version than the one known is ignored. */
  putIncident(incident: Incident): void {
    const known = this.incidents.get(incident.id);
    if (known && known.version > incident.version) return;
    const alarms = isUnacknowledgedAlarm(incident) && known?.level !== 'alarm';
    if (isOpen(incident.state) || incident.id === this.selectedId) {
      this.incidents.set(incident.id, incident);
    } else {
      this.incidents.delete(incident.id);
    }
    this.tell({ what: 'incident', id: incident.id });
    if (alarms) this.onAlarm(incident);
  }

  putCall(call: Call): void {
    const known = this.calls.get(call.id);
    if (known && known.version > call.version) return;
    this.calls.set(call.id, call);
    this.tell({ what: 'call', id: call.id });
  }

  putCamera(view: CameraView): void {
    const before = this.cameras.get(view.camera.id);
    this.cameras.set(view.camera.id, view);
    this.sickCameras += Number(isSick(view)) - Number(before !== undefined && isSick(before));
    this.tell({ what: 'camera', id: view.camera.id });
  }

  /** The noun carries no field of view; the old one stands until the new one is fetched. */
  private putSavedCamera(camera: Camera): void {
    const before = this.cameras.get(camera.id);
    const seen = camera.pose === null ? null : (before?.field_of_view ?? null);
    this.putCamera({ camera, health: before?.health ?? null, field_of_view: seen });
    if (camera.pose === null) return;
    const isKnown = before !== undefined && seen !== null && samePose(before.camera, camera);
    if (!isKnown) this.onCameraSaved(camera.id);
  }

  /** Forget what is old and belongs to nothing open; a long shift must not fill the memory. */
  tidy(now: number): void {
    const needed = new Set<string>();
    for (const incident of this.incidents.values()) {
      for (const id of incident.estimate.call_ids) needed.add(id);
    }
    for (const call of [...this.calls.values()]) {
      if (!needed.has(call.id) && now - Date.parse(call.received_at) > CALL_KEPT_MS) {
        this.calls.delete(call.id);
        this.tell({ what: 'call', id: call.id });
      }
    }
    for (const shelf of [...this.shelves.values()]) {
      if (Date.parse(shelf.until) <= now) this.shelves.delete(shelf.id);
    }
    const handovers = [...this.handovers.values()].sort((a, b) => b.at.localeCompare(a.at));
    for (const old of handovers.slice(HANDOVERS_KEPT)) this.handovers.delete(old.id);
  }

  private apply(change: Change): void {
    switch (change.kind) {
      case 'incident.founded':
      case 'incident.updated':
      case 'incident.merged':
      case 'incident.split':
      case 'incident.acted':
        this.putIncident(change.subject);
        break;
      case 'camera.saved':
        this.putSavedCamera(change.subject);
        break;
      case 'camera.removed':
        this.removeCamera(change.subject_id);
        break;
      case 'camera.health':
        this.putHealth(change.subject);
        break;
      case 'call.received':
      case 'call.updated':
        this.putCall(change.subject);
        break;
      case 'unit.saved':
        this.putUnit(change.subject);
        break;
      case 'unit.removed':
        this.units.delete(change.subject_id);
        break;
      case 'shelf.saved':
        this.putShelf(change.subject, Date.parse(change.recorded_at));
        break;
      case 'handover.written':
      case 'handover.taken':
        this.putHandover(change.subject);
        break;
      case 'clip.saved':
        if (change.subject.incident_id === this.selectedId) this.clipsSaved += 1;
        break;
      case 'desk.load':
        this.deskLoad = change.subject;
    }
  }

  private putUnit(unit: Unit): void {
    const known = this.units.get(unit.id);
    if (!known || known.version <= unit.version) this.units.set(unit.id, unit);
  }

  putShelf(shelf: Shelf, now: number): void {
    // Who ends one early ends it now by the server's clock, of which ours may be a second short.
    const over = shelf.ended_by !== '' || Date.parse(shelf.until) <= now;
    if (over) this.shelves.delete(shelf.id);
    else this.shelves.set(shelf.id, shelf);
  }

  putHandover(handover: Handover): void {
    const known = this.handovers.get(handover.id);
    if (!known?.taken_by) this.handovers.set(handover.id, handover);
  }

  private putHealth(health: CameraHealth): void {
    const view = this.cameras.get(health.camera_id);
    if (view) this.putCamera({ ...view, health });
  }

  private removeCamera(id: string): void {
    const view = this.cameras.get(id);
    if (!view) return;
    if (isSick(view)) this.sickCameras -= 1;
    this.cameras.delete(id);
    this.tell({ what: 'camera', id });
  }

  private forget(id: string): void {
    this.incidents.delete(id);
    this.tell({ what: 'incident', id });
  }

  private tell(touched: Touched): void {
    for (const listener of this.listeners) listener(touched);
  }
}

type Keyed = Incident | Call | CameraView | Unit | Shelf;

function keyOf(value: Keyed): string {
  return 'camera' in value ? value.camera.id : value.id;
}

/** Make the map hold exactly these, and `keep`; what is unchanged in version isn't touched. */
function replace<T extends Keyed>(map: SvelteMap<string, T>, values: readonly T[], keep: T | null) {
  const wanted = new Set(values.map(keyOf));
  if (keep) wanted.add(keyOf(keep));
  for (const key of [...map.keys()]) if (!wanted.has(key)) map.delete(key);
  for (const value of values) map.set(keyOf(value), value);
}

function count<T>(values: Iterable<T>, test: (value: T) => boolean): number {
  let found = 0;
  for (const value of values) found += Number(test(value));
  return found;
}
