// One desk: the signed-in person, the feed, what it tells, and what the person does.

import { Acting } from './acting.svelte';
import { Api, Problem, idempotencyKey, type ActionWords, type NewCall } from './api';
import { clock } from './clock.svelte';
import { Feed, type FeedState } from './feed';
import { isOffered } from './lifecycle';
import { AlarmLoad } from './load.svelte';
import { Operations } from './operations.svelte';
import { buildQueue, neighbour, type Queue } from './queue';
import { AlarmSound } from './sound.svelte';
import { setTimeZone } from './text.svelte';
import type { Agency, Config, Incident, IncidentAction, RankedCamera, User } from './types';

export type Phase = 'starting' | 'signed-out' | 'working';

const TIDY_EVERY_MS = 60_000;
const HOUR_MS = 3_600_000;

export class Desk {
  phase = $state<Phase>('starting');
  user = $state<User | null>(null);
  config = $state<Config | null>(null);
  connection = $state<FeedState>('connecting');
  /** When the feed was last heard, in the server's time; null before the first word. */
  heardAt = $state<number | null>(null);
  sessionEnded = $state(false);
  /** The newest alarm, for the live region. */
  announced = $state<Incident | null>(null);

  readonly operations = new Operations();
  readonly acting: Acting;
  /** Agencies that can be sent, as configured. */
  agencies = $state<Agency[]>([]);
  readonly sound = new AlarmSound();
  readonly load = new AlarmLoad();
  readonly queue: Queue = $derived.by(() => buildQueue(this.operations.incidents.values()));
  readonly order = $derived(
    [...this.queue.active, ...this.queue.candidates].map((incident) => incident.id),
  );
  /** Handovers that nobody has taken over, newest first. */
  readonly handovers = $derived.by(() =>
    [...this.operations.handovers.values()]
      .filter((one) => !one.taken_by)
      .sort((a, b) => b.at.localeCompare(a.at)),
  );
  readonly isExercise = $derived.by(
    () =>
      this.config?.exercise === true ||
      this.queue.active.some((incident) => incident.estimate.exercise),
  );

  /** Every registered camera is a simulated one. */
  get onlyExercise(): boolean {
    const cameras = [...this.operations.cameras.values()];
    return this.isExercise && cameras.every((view) => view.camera.exercise);
  }

  private readonly feed: Feed;
  private tidying: ReturnType<typeof setInterval> | undefined;
  /** Where the selected incident stood, so that the next one is found after it has left. */
  private place = 0;

  constructor(
    readonly api: Api,
    feedUrl: string,
    makeFeed: (url: string, handlers: ConstructorParameters<typeof Feed>[1]) => Feed = (u, h) =>
      new Feed(u, h),
  ) {
    this.acting = new Acting(api, this.operations, () => this.leave(true));
    this.operations.onCameraSaved = (id) => void this.refreshCamera(id);
    this.operations.onAlarm = (incident) => {
      this.announced = incident;
      this.load.note(incident);
    };
    this.feed = makeFeed(feedUrl, {
      snapshot: (snapshot) => {
        this.operations.replaceAll(snapshot);
        this.load.noteStanding(snapshot.incidents);
        // The first look: something to start with. Later nothing is selected but by a person.
        if (this.operations.selectedId === null) {
          this.operations.select(this.queue.active[0]?.id ?? null);
        }
      },
      changes: (changes) => this.operations.applyAll(changes),
      state: (state) => (this.connection = state),
      heard: (serverAt) => {
        if (serverAt !== null) clock.learn(serverAt);
        this.heardAt = clock.now;
      },
      refused: () => void this.checkSession(),
    });
  }

  async start(): Promise<void> {
    try {
      await this.enter(await this.api.session.current());
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.phase = 'signed-out';
    }
  }

  async signIn(username: string, password: string): Promise<void> {
    await this.enter(await this.api.session.signIn(username, password));
  }

  async signOut(): Promise<void> {
    this.leave(false);
    try {
      await this.api.session.signOut();
    } catch (error) {
      // Unreachable: the cookie stays until it expires, and a reload shows that honestly.
      if (!(error instanceof Problem)) throw error;
    }
  }

  /** Close the connection and every timer; for a page that goes away, and for tests. */
  stop(): void {
    this.feed.stop();
    this.sound.stop();
    clearInterval(this.tidying);
  }

  hurry(): void {
    this.feed.hurry();
  }

  get selected(): Incident | null {
    return this.operations.selected;
  }

  select(id: string | null): void {
    this.operations.select(id);
    if (id !== null && this.order.includes(id)) this.place = this.order.indexOf(id);
    if (this.acting.notice && this.acting.notice.incidentId !== id) this.acting.notice = null;
  }

  step(by: 1 | -1): string | null {
    const { selectedId } = this.operations;
    const gone = selectedId !== null && !this.order.includes(selectedId);
    const next = gone
      ? (this.order[Math.min(this.place, this.order.length - 1)] ?? null)
      : neighbour(this.order, selectedId, by);
    this.select(next);
    return next;
  }

  can(action: IncidentAction): boolean {
    const incident = this.selected;
    return incident !== null && isOffered(this.operations.shown(incident).state, action);
  }

  /** See `Acting.act`. */
  act(incident: Incident, action: IncidentAction, words: ActionWords = {}): Promise<boolean> {
    return this.acting.act(incident, action, words);
  }

  async newCall(call: NewCall, key = idempotencyKey()): Promise<[string, RankedCamera[]]> {
    const answer = await this.api.calls.take(call, key);
    this.operations.putCall(answer.call);
    return [answer.call.id, answer.cameras];
  }

  private async enter(user: User): Promise<void> {
    // A large city's snapshot takes the server longer than the configuration: it is made meanwhile.
    this.feed.start();
    try {
      this.config = await this.api.session.config();
    } catch (error) {
      this.feed.stop();
      throw error;
    }
    setTimeZone(this.config.city.timezone);
    this.user = user;
    this.sessionEnded = false;
    this.phase = 'working';
    void this.learnDesk();
    this.tidying = setInterval(() => this.tidy(), TIDY_EVERY_MS);
  }

  /** What the feed doesn't begin with. */
  private async learnDesk(): Promise<void> {
    try {
      const [{ agencies }, { handovers }] = await Promise.all([
        this.api.desk.agencies(),
        this.api.desk.handovers(),
      ]);
      this.agencies = agencies;
      for (const handover of handovers) this.operations.putHandover(handover);
    } catch (error) {
      // Without them the desk works; what changes comes by the feed.
      if (!(error instanceof Problem)) throw error;
    }
  }

  private tidy(): void {
    this.operations.tidy(clock.now);
    this.load.forgetBefore(clock.now - HOUR_MS);
  }

  private leave(ended: boolean): void {
    this.stop();
    this.operations.clear();
    this.heardAt = null;
    this.user = null;
    this.acting.clear();
    this.announced = null;
    this.sessionEnded = ended;
    this.phase = 'signed-out';
  }

  private async checkSession(): Promise<void> {
    try {
      await this.api.session.current();
    } catch (error) {
      if (error instanceof Problem && error.status === 401 && this.phase === 'working') {
        this.leave(true);
      }
    }
  }

  private async refreshCamera(id: string): Promise<void> {
    try {
      this.operations.putCamera(await this.api.cameras.get(id));
    } catch (error) {
      // The old field of view stands; the next snapshot brings the new one.
      if (!(error instanceof Problem)) throw error;
    }
  }
}
