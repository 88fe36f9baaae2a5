// Asking the server from a form: what went wrong is kept to be shown, and anything else is a fault.

import { Problem } from './api';
import { t } from './text.svelte';

/** What is told of it to the person at the form. */
export function wordsOf(problem: Problem): string {
  if (problem.isUnreachable) return t('signin.unreachable');
  return problem.current === null ? problem.detail : t('problem.overtaken');
}

export class Attempt {
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);

  get words(): string {
    if (this.problem === null) return '';
    return wordsOf(this.problem);
  }

  /** Why a field was refused; empty where it wasn't. */
  why(field: string): string {
    const found = this.problem?.errors.find(
      (one) => one.field === field || one.field.startsWith(`${field}.`),
    );
    return found?.why ?? '';
  }

  async run<T>(work: () => Promise<T>): Promise<T | null> {
    this.problem = null;
    this.busy = true;
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
      return null;
    } finally {
      this.busy = false;
    }
  }
}
