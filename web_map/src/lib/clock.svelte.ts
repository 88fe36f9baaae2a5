// The server's time, a tick a second. A desk's own clock may be minutes wrong; ages must not be.

/** Smaller differences are network delay, not a wrong clock. */
const TRUSTED_MS = 2_000;
const MINUTE_MS = 60_000;

class Clock {
  now = $state(Date.now());
  /** The minute that has begun: for what needn't move every second. */
  readonly minute = $derived(Math.floor(this.now / MINUTE_MS) * MINUTE_MS);
  private offsetMs = 0;
  private timer: ReturnType<typeof setInterval> | undefined;

  start(): () => void {
    this.timer = setInterval(() => this.tick(), 1_000);
    return () => clearInterval(this.timer);
  }

  /** The server said what time it is. */
  learn(serverAt: number): void {
    const difference = serverAt - Date.now();
    this.offsetMs = Math.abs(difference) > TRUSTED_MS ? difference : 0;
    this.tick();
  }

  private tick(): void {
    this.now = Date.now() + this.offsetMs;
  }
}

export const clock = new Clock();
