// Live video of one camera: the websocket's messages put into a <video> by Media Source Extensions,
// or shown as single pictures where the browser can't play what the camera sends.
//
// Life: `open` connects and comes back by itself until `close`. What it shows follows the newest
// picture, until somebody looks back; `follow` returns to now.

import { clock } from './clock.svelte';

export type LiveState =
  | 'connecting'
  /** The worker has the camera and waits for its first picture. */
  | 'waiting'
  | 'video'
  | 'pictures'
  /** No worker has the camera. */
  | 'unwatched'
  | 'unplayable'
  /** The server can't be reached or refuses. */
  | 'away';

type Told =
  | { type: 'waiting' | 'unwatched' }
  | { type: 'start'; mode: 'video'; mime: string; started_at: string }
  | { type: 'start'; mode: 'pictures'; why: string }
  | { type: 'picture'; captured_at: string }
  | { type: 'beat'; last_picture_at: string }
  | { type: 'skipped'; pictures: number }
  | { type: 'unplayable' | 'damaged'; why: string };

/** How near to the newest picture what is shown is kept. */
const BEHIND_S = 0.3;
/** Farther behind than this, following jumps to the newest picture. */
const LAGGING_S = 2;
const KEPT_S = 60;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;

export class LiveVideo {
  state = $state<LiveState>('connecting');
  /** Why there are pictures instead of video, or nothing: the server's own words. */
  why = $state('');
  /** When what is shown was taken, in the camera's time. */
  shownAt = $state<number | null>(null);
  /** When the newest picture that has come was taken. */
  newestAt = $state<number | null>(null);
  /** Pictures the server dropped because this line is slow. */
  skipped = $state(0);
  following = $state(true);
  /** The single picture to show, as an address. */
  picture = $state<string | null>(null);

  private socket: WebSocket | null = null;
  private source: MediaSource | null = null;
  private buffer: SourceBuffer | null = null;
  private url: string | null = null;
  private waiting: ArrayBuffer[] = [];
  private startedAt = 0;
  private pictureAt: number | null = null;
  private waitMs = FIRST_WAIT_MS;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private asPictures = false;
  private backS = 0;
  private closed = false;

  constructor(
    private readonly cameraId: string,
    private readonly video: HTMLVideoElement,
  ) {
    video.ontimeupdate = () => this.moved();
    video.onwaiting = () => this.hop();
  }

  /** Whether it goes on: what is seen otherwise is the last that came. */
  get shows(): boolean {
    return this.state === 'video' || this.state === 'pictures';
  }

  /** Whether anything is seen, old or new. */
  get hasPicture(): boolean {
    return this.state === 'pictures' || (this.shownAt !== null && this.url !== null);
  }

  open(backS = 0): void {
    this.backS = backS;
    this.following = backS === 0;
    this.connect();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
    this.disconnect();
    this.drop();
    if (this.picture) URL.revokeObjectURL(this.picture);
    this.picture = null;
  }

  /** Look back so many seconds; what the browser no longer has is asked of the server. */
  back(seconds: number): void {
    if (this.newestAt === null || this.state !== 'video') return;
    this.following = seconds === 0;
    const wished = (this.newestAt - this.startedAt) / 1000 - Math.max(seconds, BEHIND_S);
    const { buffered } = this.video;
    if (buffered.length > 0 && wished >= buffered.start(0)) {
      this.video.currentTime = wished;
    } else {
      this.disconnect();
      this.open(seconds);
    }
  }

  follow(): void {
    this.following = true;
    this.catchUp(true);
  }

  private connect(): void {
    const asked = new URLSearchParams({ codecs: hasH265() ? 'h264,h265' : 'h264' });
    if (this.backS > 0) asked.set('back', String(Math.round(this.backS)));
    if (this.asPictures) asked.set('pictures', '1');
    const url = new URL(`/live/v1/${encodeURIComponent(this.cameraId)}?${asked}`, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (socket !== this.socket) return;
      if (typeof data === 'string') this.told(JSON.parse(data) as Told);
      else this.took(data);
    };
    socket.onclose = () => {
      if (this.closed || socket !== this.socket) return;
      if (this.state !== 'unplayable') this.comeBack();
    };
    this.socket = socket;
  }

  private comeBack(): void {
    this.state = 'away';
    this.backS = 0;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.connect(), this.waitMs);
    this.waitMs = Math.min(LONGEST_WAIT_MS, this.waitMs * 2);
  }

  private disconnect(): void {
    const { socket } = this;
    this.socket = null;
    socket?.close();
  }

  private told(told: Told): void {
    switch (told.type) {
      case 'waiting':
      case 'unwatched':
        this.state = told.type;
        return;
      case 'start':
        this.why = told.mode === 'pictures' ? told.why : '';
        if (told.mode === 'pictures') {
          this.drop();
          this.state = 'pictures';
        } else if (canPlay(told.mime)) {
          this.begin(told.mime, Date.parse(told.started_at));
        } else {
          this.asPictures = true;
          this.disconnect();
          this.connect();
        }
        return;
      case 'picture':
        this.pictureAt = Date.parse(told.captured_at);
        return;
      case 'beat':
        this.newestAt = Date.parse(told.last_picture_at);
        return;
      case 'skipped':
        this.skipped += told.pictures;
        return;
      case 'damaged':
        this.why = told.why;
        return;
      case 'unplayable':
        this.why = told.why;
        this.state = 'unplayable';
    }
  }

  private took(data: ArrayBuffer): void {
    if (this.state === 'pictures') {
      const before = this.picture;
      this.picture = URL.createObjectURL(new Blob([data], { type: 'image/jpeg' }));
      if (before) URL.revokeObjectURL(before);
      this.waitMs = FIRST_WAIT_MS;
      this.shownAt = this.newestAt = this.pictureAt;
      return;
    }
    this.waiting.push(data);
    this.append();
  }

  private begin(mime: string, startedAt: number): void {
    this.drop();
    this.startedAt = startedAt;
    const source = new MediaSource();
    this.source = source;
    this.url = URL.createObjectURL(source);
    source.onsourceopen = () => {
      if (source !== this.source) return;
      this.buffer = source.addSourceBuffer(mime);
      this.buffer.onupdateend = () => this.grown();
      this.append();
    };
    this.video.src = this.url;
    void this.video.play().catch(() => undefined); // muted video may always play; a hidden tab waits
    this.state = 'video';
  }

  private drop(): void {
    this.waiting = [];
    this.buffer = null;
    this.source = null;
    if (this.url !== null) {
      this.video.removeAttribute('src');
      this.video.load();
      URL.revokeObjectURL(this.url);
      this.url = null;
    }
  }

  private append(): void {
    const { buffer } = this;
    if (!buffer || buffer.updating || this.waiting.length === 0) return;
    const data = joined(this.waiting);
    this.waiting = [];
    try {
      buffer.appendBuffer(data);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      // Full, or the element has failed: begin anew, but not at once again and again.
      this.drop();
      this.disconnect();
      this.comeBack();
    }
  }

  private grown(): void {
    const { buffered } = this.video;
    if (buffered.length > 0) {
      this.waitMs = FIRST_WAIT_MS;
      this.newestAt = this.startedAt + buffered.end(buffered.length - 1) * 1000;
      this.catchUp(false);
    }
    if (this.trim()) return;
    this.append();
  }

  /** Forget what is long past; true where that is under way. */
  private trim(): boolean {
    const { buffer, video } = this;
    if (!buffer || buffer.updating || video.buffered.length === 0) return false;
    const until = video.currentTime - KEPT_S;
    if (video.buffered.start(0) > until - KEPT_S / 2) return false;
    buffer.remove(0, until);
    return true;
  }

  private catchUp(now: boolean): void {
    const { video } = this;
    if (!this.following || video.buffered.length === 0) return;
    const end = video.buffered.end(video.buffered.length - 1);
    const isFirst = video.currentTime < video.buffered.start(0);
    if (now || isFirst || end - video.currentTime > LAGGING_S) {
      video.currentTime = Math.max(video.buffered.start(0), end - BEHIND_S);
    }
  }

  /** Over a hole in what came (pictures were dropped), to what lies behind it. */
  private hop(): void {
    const { buffered, currentTime } = this.video;
    for (let n = 0; n < buffered.length; n += 1) {
      if (buffered.start(n) > currentTime) {
        this.video.currentTime = buffered.start(n) + 0.01;
        return;
      }
    }
  }

  private moved(): void {
    if (this.state === 'video') this.shownAt = this.startedAt + this.video.currentTime * 1000;
  }
}

/** How old what is shown is, in seconds; null while nothing is. */
export function ageS(live: LiveVideo): number | null {
  return live.shownAt === null ? null : Math.max(0, (clock.now - live.shownAt) / 1000);
}

function joined(parts: readonly ArrayBuffer[]): ArrayBuffer {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return whole.buffer;
}

function canPlay(mime: string): boolean {
  return typeof MediaSource !== 'undefined' && MediaSource.isTypeSupported(mime);
}

function hasH265(): boolean {
  return canPlay('video/mp4; codecs="hvc1.1.6.L93.B0"');
}
