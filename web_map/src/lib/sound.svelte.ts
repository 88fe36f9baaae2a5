// The alarm sound: made, not played from a file; for the top two priorities; repeated until
// somebody acknowledges. Browsers allow sound only after a first touch or key, so the state says
// whether it could be heard at all.

import { idle } from './idle';

/** `off`: nothing to sound; `locked`: there is, and the browser doesn't let us. */
export type SoundState = 'off' | 'sounding' | 'muted' | 'locked';

const REPEAT_MS: Record<1 | 2, number> = { 1: 5_000, 2: 10_000 };
/** Hz: a rising triad for priority 1, two equal tones for priority 2. Told apart without colour. */
const TONES: Record<1 | 2, readonly number[]> = { 1: [660, 880, 1109], 2: [587, 587] };
const TONE_S = 0.17;
/** How long opening the sound device may wait for the page to have nothing else to do. */
const LATEST_MS = 1_500;
const GAP_S = 0.06;

export class AlarmSound {
  /** Until one signs out: a mute must not outlive the person who wanted it. */
  muted = $state(false);
  private wanted = $state<1 | 2 | null>(null);
  private unlocked = $state(false);
  private context: AudioContext | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = 0;
  /** How often it sounded; end-to-end tests read it, since they can't hear. */
  played = 0;

  get state(): SoundState {
    if (this.muted) return 'muted';
    if (this.wanted === null) return this.unlocked ? 'off' : 'locked';
    return this.unlocked ? 'sounding' : 'locked';
  }

  /** Sound for this priority until told otherwise; null is silence. */
  want(priority: 1 | 2 | null): void {
    if (this.wanted === priority) return;
    const louder = priority !== null && (this.wanted === null || priority < this.wanted);
    this.wanted = priority;
    this.schedule(louder ? 0 : undefined);
  }

  toggleMuted(): void {
    this.muted = !this.muted;
    this.schedule(0);
  }

  /** Called on a touch or key: from then on the browser lets us. */
  async unlock(): Promise<void> {
    if (this.unlocked || typeof AudioContext === 'undefined') return;
    // To open the sound device takes up to a second: not while what was pressed waits for an answer.
    if (!this.context) await idle(LATEST_MS);
    this.context ??= new AudioContext();
    await this.context.resume();
    this.unlocked = this.context.state === 'running';
    if (this.unlocked) this.schedule(0);
  }

  /** Silent, and unmuted for whoever signs in next. */
  stop(): void {
    clearTimeout(this.timer);
    this.wanted = null;
    this.muted = false;
  }

  private schedule(inMs?: number): void {
    clearTimeout(this.timer);
    const priority = this.wanted;
    if (priority === null || this.muted || !this.unlocked) return;
    const due = inMs ?? Math.max(0, this.last + REPEAT_MS[priority] - Date.now());
    this.timer = setTimeout(() => {
      this.play(priority);
      this.last = Date.now();
      this.schedule(REPEAT_MS[priority]);
    }, due);
  }

  private play(priority: 1 | 2): void {
    const context = this.context;
    if (!context) return;
    this.played += 1;
    TONES[priority].forEach((frequency, index) => {
      const start = context.currentTime + index * (TONE_S + GAP_S);
      const tone = context.createOscillator();
      const gain = context.createGain();
      tone.type = 'sine';
      tone.frequency.value = frequency;
      // A short rise and fall: an edge would click.
      gain.gain.setValueAtTime(0, start);
      gain.gain.linearRampToValueAtTime(0.2, start + 0.015);
      gain.gain.setValueAtTime(0.2, start + TONE_S - 0.05);
      gain.gain.linearRampToValueAtTime(0, start + TONE_S);
      tone.connect(gain).connect(context.destination);
      tone.start(start);
      tone.stop(start + TONE_S);
    });
  }
}
