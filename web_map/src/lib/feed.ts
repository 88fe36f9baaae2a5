// The feed: one websocket that starts with a snapshot, then carries every change in order.
//
// Life cycle: connecting -> live -> reconnecting -> live ... -> stopped. A lost connection resumes
// after the last change seen; a break in the chain (a change whose `prev_seq` isn't the last one
// seen), a refused cursor (4410) or an unreadable message starts over from a snapshot. A feed that
// says nothing for longer than pings may take is taken for dead.

import type { Change, FeedMessage, Snapshot } from './types';

export type FeedState = 'connecting' | 'live' | 'reconnecting' | 'stopped';

export interface FeedHandlers {
  snapshot(snapshot: Snapshot): void;
  changes(changes: readonly Change[]): void;
  state(state: FeedState): void;
  /** Something was heard; `serverAt` is the server's clock in ms where the message tells it. */
  heard(serverAt: number | null): void;
  /** A connection could not be made: the session may be over. */
  refused(): void;
}

export interface FeedSocket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  close(code?: number): void;
}

export interface FeedSettings {
  open: (url: string) => FeedSocket;
  random: () => number;
}

const SILENCE_MS = 12_000;
/** A large city's snapshot takes a busy server longer; to ask again would make it begin again. */
const SNAPSHOT_MS = 45_000;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 15_000;
const CURSOR_TOO_OLD = 4410;
const SIGNED_OUT = 4401;
const TOO_SLOW = 1013;

export class Feed {
  private socket: FeedSocket | null = null;
  private lastSeq: number | null = null;
  private behindAt: number | null = null;
  private state: FeedState = 'stopped';
  private attempts = 0;
  private opened = false;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly url: string,
    private readonly handlers: FeedHandlers,
    private readonly settings: FeedSettings = {
      open: (address) => new WebSocket(address) as unknown as FeedSocket,
      random: Math.random,
    },
  ) {}

  start(): void {
    if (this.state !== 'stopped') return;
    this.lastSeq = null;
    this.attempts = 0;
    this.enter('connecting');
    this.connect();
  }

  stop(): void {
    clearTimeout(this.retry);
    this.drop();
    this.enter('stopped');
  }

  /** Don't wait any longer: the network came back, or somebody looks at the screen again. */
  hurry(): void {
    if (this.state === 'stopped' || this.socket !== null) return;
    this.attempts = 0;
    this.connect();
  }

  private connect(): void {
    clearTimeout(this.retry);
    this.opened = false;
    const address = this.lastSeq === null ? this.url : `${this.url}?after=${this.lastSeq}`;
    const socket = this.settings.open(address);
    this.socket = socket;
    socket.onopen = () => {
      this.opened = true;
      this.listen(this.lastSeq === null ? SNAPSHOT_MS : SILENCE_MS);
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = (event) => this.closed(event.code);
    this.listen();
  }

  private receive(data: unknown): void {
    this.listen();
    let message: FeedMessage;
    try {
      message = JSON.parse(String(data)) as FeedMessage;
    } catch {
      this.startOver();
      return;
    }
    this.attempts = 0;
    switch (message.type) {
      case 'snapshot':
        this.lastSeq = message.seq;
        this.handlers.snapshot(message);
        this.handlers.heard(null);
        break;
      case 'change':
        if (!this.follow([message])) return;
        break;
      case 'changes':
        if (!this.follow(message.items)) return;
        break;
      case 'ping':
        if (this.isLosing(message.seq)) {
          this.startOver();
          return;
        }
        this.handlers.heard(Date.parse(message.at));
    }
    this.enter('live');
  }

  private follow(items: readonly Change[]): boolean {
    const fresh: Change[] = [];
    for (const item of items) {
      if (this.lastSeq !== null && item.seq <= this.lastSeq) continue;
      if (this.lastSeq !== null && item.prev_seq > this.lastSeq) {
        this.handlers.changes(fresh);
        this.startOver();
        return false;
      }
      this.lastSeq = item.seq;
      fresh.push(item);
    }
    if (fresh.length > 0) this.handlers.changes(fresh);
    this.handlers.heard(null);
    return true;
  }

  /** A ping may overtake a change that is on its way; two pings over the same gap may not. */
  private isLosing(toldSeq: number): boolean {
    if (this.lastSeq === null || toldSeq <= this.lastSeq) {
      this.behindAt = null;
      return false;
    }
    const again = this.behindAt === this.lastSeq;
    this.behindAt = this.lastSeq;
    return again;
  }

  private startOver(): void {
    this.lastSeq = null;
    this.behindAt = null;
    this.drop();
    this.again(0);
  }

  private closed(code: number): void {
    clearTimeout(this.watchdog);
    this.socket = null;
    if (code === CURSOR_TOO_OLD) this.lastSeq = null;
    if (!this.opened || code === SIGNED_OUT) this.handlers.refused();
    // Who was too slow, or too old, is welcome back at once.
    this.again(code === CURSOR_TOO_OLD || code === TOO_SLOW ? 0 : this.nextWait());
  }

  private again(waitMs: number): void {
    if (this.state === 'stopped') return;
    this.enter('reconnecting');
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.connect(), waitMs);
  }

  private nextWait(): number {
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.attempts);
    this.attempts += 1;
    // Jitter, so that all the desks don't return in one instant after a restart.
    return wait * (0.5 + this.settings.random() / 2);
  }

  private listen(patienceMs = SILENCE_MS): void {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => {
      this.drop();
      this.again(this.nextWait());
    }, patienceMs);
  }

  private drop(): void {
    clearTimeout(this.watchdog);
    const socket = this.socket;
    this.socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private enter(state: FeedState): void {
    if (this.state === state) return;
    this.state = state;
    this.handlers.state(state);
  }
}
