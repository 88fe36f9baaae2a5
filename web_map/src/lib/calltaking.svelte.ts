// A call while it is being taken: what was typed, and how it is saved. It outlives the panel that
// shows it, so that what a caller has said isn't lost with a session that ends in the middle.
//
// One call, one key: pressed twice, or again after a lost answer, it is saved once. What has changed
// since it was first sent is added to what may be stored already.

import { Problem, idempotencyKey, type Api, type CallLocation, type NewCall } from './api';
import type { CallFields } from './callform';
import { centreOf, latestFix } from './callers';
import { radiusAt } from './geodesy';
import type { Operations } from './operations.svelte';
import type { Call, Hazard, LonLat, RankedCamera } from './types';

/** Where a call is taken to be whose position is no disc. */
const UNKNOWN_RADIUS_M = 500;
const NOWHERE: CallFields = { lon: '', lat: '', radius: '50' };

export interface SavedCall {
  callId: string;
  /** The cameras that see the caller, best first. */
  cameras: RankedCamera[];
}

export class CallTaking {
  hazard = $state<Hazard | ''>('');
  note = $state('');
  fields = $state<CallFields>({ ...NOWHERE });
  exercise = $state(false);
  /** The call that a phone's position has founded and that is taken over here. */
  taken = $state.raw<Call | null>(null);
  /** The incident that the call shall be added to. */
  chosen = $state<string | null>(null);
  /** What came of it; until the next one begins. */
  saved = $state.raw<SavedCall | null>(null);
  /** The position as the phone has told it: what differs is the call taker's own. */
  private told = $state<CallFields>({ ...NOWHERE });
  private key = idempotencyKey();
  private sent: NewCall | null = null;

  constructor(
    private readonly api: Api,
    private readonly operations: Operations,
  ) {}

  /** Nothing has been written that could be lost. */
  get isEmpty(): boolean {
    return (
      this.hazard === '' &&
      this.note.trim() === '' &&
      this.taken === null &&
      this.fields.lon.trim() === '' &&
      this.fields.lat.trim() === ''
    );
  }

  /** The call taker has put the position elsewhere than the phone has. */
  get moved(): boolean {
    return (['lon', 'lat', 'radius'] as const).some((one) => this.fields[one] !== this.told[one]);
  }

  /** A phone's position stands in the fields, or did. */
  get wasTold(): boolean {
    return this.told.lon !== '';
  }

  /** The call that was taken over, as it is by now. */
  get current(): Call | null {
    return this.taken && (this.operations.calls.get(this.taken.id) ?? this.taken);
  }

  /** What somebody else has written of the same call meanwhile. */
  get others(): Call | null {
    const { current } = this;
    return current && (current.hazard !== null || current.note !== '') ? current : null;
  }

  /** Begin the next call. */
  clear(exercise = false): void {
    this.hazard = '';
    this.note = '';
    this.fields = { ...NOWHERE };
    this.told = { ...NOWHERE };
    this.exercise = exercise;
    this.taken = null;
    this.chosen = null;
    this.saved = null;
    this.key = idempotencyKey();
    this.sent = null;
  }

  place(at: LonLat, radiusM: number): void {
    this.fields.lon = at.lon.toFixed(6);
    this.fields.lat = at.lat.toFixed(6);
    this.fields.radius = String(Math.max(1, Math.round(radiusM)));
  }

  /** Use a phone's newest position; returns where that is. */
  follow(call: Call): { at: LonLat; radiusM: number } | null {
    const fix = latestFix(call);
    const at = fix ? centreOf(fix) : null;
    if (!fix || !at) return null;
    const { shape, confidence } = fix;
    const radiusM = shape.type === 'disc' ? radiusAt(shape.radius_m, confidence) : UNKNOWN_RADIUS_M;
    this.place(at, radiusM);
    this.told = { ...this.fields };
    return { at, radiusM };
  }

  /**
   * Save it, with its position as it was read from the fields.
   *
   * Throws a `Problem` where it isn't known to be saved; to save it again is safe then.
   */
  async save(location: CallLocation | null): Promise<SavedCall> {
    const made = this.taken
      ? await this.takeOver(this.taken, location)
      : await this.takeNew(location);
    this.saved = made;
    return made;
  }

  private async takeNew(location: CallLocation | null): Promise<SavedCall> {
    const hazard = this.hazard === '' ? null : this.hazard;
    const wanted = { hazard, note: this.note.trim(), location, exercise: this.exercise };
    const first = this.sent ?? wanted;
    this.sent = first;
    let answer: { call: Call; cameras: RankedCamera[] };
    try {
      answer = await this.api.calls.take(first, this.key);
    } catch (error) {
      // Refused is not stored: it may be mended and sent as a whole.
      if (error instanceof Problem && error.status >= 400 && error.status < 500) this.sent = null;
      throw error;
    }
    this.operations.putCall(answer.call);
    const { call } = answer;
    if (wanted.hazard !== first.hazard || wanted.note !== first.note) {
      this.operations.putCall(await this.api.calls.say(call.id, wanted.hazard, wanted.note));
    }
    if (location !== null && JSON.stringify(location) !== JSON.stringify(first.location)) {
      return this.locate(call.id, location);
    }
    return { callId: call.id, cameras: answer.cameras };
  }

  /** What the phone has told stays; what the call taker has understood stands beside it. */
  private async takeOver(call: Call, location: CallLocation | null): Promise<SavedCall> {
    const own = this.note.trim();
    const theirs = this.others?.note ?? '';
    const note = theirs.includes(own) ? theirs : [theirs, own].filter(Boolean).join('\n');
    const hazard = this.hazard === '' ? (this.others?.hazard ?? null) : this.hazard;
    this.operations.putCall(await this.api.calls.say(call.id, hazard, note));
    if (location !== null && this.moved) return this.locate(call.id, location);
    return { callId: call.id, cameras: (await this.api.calls.cameras(call.id)).cameras };
  }

  private async locate(callId: string, location: CallLocation): Promise<SavedCall> {
    // Another place is another report: only the same one again is the same.
    const key = `${this.key} ${location.lon} ${location.lat} ${location.radius_m}`;
    const { call, cameras } = await this.api.calls.locate(callId, location, key);
    this.operations.putCall(call);
    return { callId, cameras };
  }
}
