// What the simulated city plays now, asked every few seconds where there may be one.

import { Problem, type Api } from './api';
import { preferences } from './preferences.svelte';
import type { ExerciseState } from './types/exercises';

const EVERY_MS = 5_000;

export class ExerciseNow {
  state = $state.raw<ExerciseState | null>(null);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private stopped = false;

  constructor(private readonly api: Api) {}

  /** A scenario with an end: an exercise that somebody trains with. */
  get playing(): ExerciseState | null {
    return this.state?.is_playing && this.state.exercise_id ? this.state : null;
  }

  /** Ask again and again; returns how to stop. */
  follow(): () => void {
    this.stopped = false;
    void this.round();
    return () => {
      this.stopped = true;
      clearTimeout(this.timer);
    };
  }

  async look(): Promise<void> {
    try {
      this.state = await this.api.exercises.current();
    } catch (error) {
      // What was known stands; the connection's own mark says that the server is away.
      if (!(error instanceof Problem)) throw error;
    }
  }

  private async round(): Promise<void> {
    await this.look();
    if (!this.stopped) this.timer = setTimeout(() => void this.round(), EVERY_MS);
  }
}

/** A scenario's title in the language of the desk. */
export function titleOf(one: { title: string; judul: string }): string {
  return preferences.language === 'id' ? one.judul || one.title : one.title;
}
