// One desk: the signed-in person, the feed, what it tells, and what the person does.

import { Acting } from './acting.svelte';
import { Api, Problem, type ActionWords } from './api';
import { CallTaking } from './calltaking.svelte';
import { clock } from './clock.svelte';
import { Feed, type FeedState } from './feed';
import { Joinings } from './joining';
import { isOffered } from './lifecycle';
import { AlarmLoad } from './load.svelte';
import { Operations } from './operations.svelte';
import { buildQueue, neighbour, type Queue } from './queue';
import { AlarmSound } from './sound.svelte';
import { SavedCameras } from './savedcameras';
import { setTimeZone } from './text.svelte';
import type { Agency, Config, Incident, IncidentAction, Snapshot, User } from './types';

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
  readonly joinings: Joinings;
  /** The call that is being taken, or the next one. */
  readonly call: CallTaking;
  /** What was begun to be written and isn't saved, by where: looking elsewhere must not lose it. */
  readonly drafts = new Map<string, string>();
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
  private writer = '';
  /** Where the selected incident stood, so that the next one is found after it has left. */
  private place = 0;

  constructor(
    readonly api: Api,
    feedUrl: string,
    makeFeed: (url: string, handlers: ConstructorParameters<typeof Feed>[1]) => Feed = (u, h) =>
      new Feed(u, h),
  ) {
    this.acting = new Acting(
      api,
      this.operations,
      () => this.leave(true),
      () => this.user?.username ?? '',
    );
    this.joinings = new Joinings(this.operations, this.acting);
    this.call = new CallTaking(api, this.operations);
    // Whatever was asked: an answer that nobody is signed in is looked into.
    api.onSignedOut(() => void this.checkSession());
    const saved = new SavedCameras(api.cameras, this.operations.cameras, (view) =>
      this.operations.putCamera(view),
    );
    this.operations.onCameraSaved = (id) => saved.note(id);
    this.operations.onAlarm = (incident) => {
      this.announced = incident;
      this.load.note(incident);
    };
    this.feed = makeFeed(feedUrl, {
      snapshot: (snapshot) => {
        this.operations.replaceAll(snapshot);
        this.lookAfterSelected(snapshot);
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

  keepDraft(where: string, text: string): void {
    if (text === '') this.drafts.delete(where);
    else this.drafts.set(where, text);
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
    const { selectedId } = this.operations;
    // Who was faster has been read; what isn't saved stays said.
    if (selectedId !== null && selectedId !== id) this.acting.read(selectedId);
    this.operations.select(id);
    if (id !== null && this.order.includes(id)) this.place = this.order.indexOf(id);
  }

  /** Look at an incident again that may have left the queue. */
  async revisit(id: string): Promise<void> {
    this.select(id);
    if (!this.operations.incidents.has(id)) await this.learnIncident(id);
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
    if (user.username !== this.writer) this.forgetWritten();
    this.writer = user.username;
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
    this.joinings.clear();
    if (!ended) this.forgetWritten();
    this.announced = null;
    this.sessionEnded = ended;
    this.phase = 'signed-out';
  }

  /** What was being written is for who was writing it, and for nobody else to see. */
  private forgetWritten(): void {
    this.call.clear();
    this.drafts.clear();
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

  /** A snapshot holds what is open: of what is looked at and isn't in it, the end was missed. */
  private lookAfterSelected(snapshot: Snapshot): void {
    const id = this.operations.selectedId;
    if (id === null || snapshot.incidents.some((one) => one.id === id)) return;
    void this.learnIncident(id);
  }

  private async learnIncident(id: string): Promise<void> {
    try {
      this.operations.putIncident(await this.api.incidents.read(id));
    } catch (error) {
      // What is known of it stands; the server refuses what is decided on it.
      if (!(error instanceof Problem)) throw error;
    }
  }
}
