// What is known about the place of a call while it is being taken: asked anew when the position or
// the hazard changes, the newest answer wins.

import { Problem, type Api, type CallLocation, type Outlook } from './api';
import type { Hazard } from './types';

const WAIT_MS = 250;

export class CallOutlook {
  found = $state.raw<Outlook | null>(null);
  asking = $state(false);

  private asked = '';
  private turn = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly api: Api) {}

  look(hazard: Hazard | null, location: CallLocation | null, exercise: boolean): void {
    const wish = JSON.stringify([hazard, location, exercise]);
    if (wish === this.asked) return;
    this.asked = wish;
    clearTimeout(this.timer);
    this.turn += 1;
    if (location === null) {
      this.found = null;
      this.asking = false;
      return;
    }
    const { turn } = this;
    this.asking = true;
    this.timer = setTimeout(() => void this.ask(turn, hazard, location, exercise), WAIT_MS);
  }

  close(): void {
    clearTimeout(this.timer);
    this.turn += 1;
  }

  private async ask(
    turn: number,
    hazard: Hazard | null,
    location: CallLocation,
    exercise: boolean,
  ): Promise<void> {
    try {
      const found = await this.api.calls.outlook({ hazard, location, exercise });
      if (turn === this.turn) this.found = found;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      // The call can be saved all the same; the server then says what is wrong with it.
      if (turn === this.turn) this.found = null;
    } finally {
      if (turn === this.turn) this.asking = false;
    }
  }
}
