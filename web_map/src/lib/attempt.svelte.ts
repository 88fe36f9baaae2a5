// Asking the server from a form: what went wrong is kept to be shown, and anything else is a fault.

import { Problem } from './api';
import { t } from './text.svelte';

export class Attempt {
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);

  get words(): string {
    if (this.problem === null) return '';
    return this.problem.isUnreachable ? t('signin.unreachable') : this.problem.detail;
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
