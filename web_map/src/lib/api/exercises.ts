// Exercises: what the simulated city plays, and how those at the desks did.

import type { Http } from './http';
import type { Exercise, ExerciseList, ExerciseState } from '../types/exercises';

const HERE = '/api/v1/exercises';

/** The city lays out hundreds of junctions before it answers. */
const START_TIMEOUT_MS = 15_000;

export class ExerciseRoutes {
  constructor(private readonly http: Http) {}

  list(): Promise<ExerciseList> {
    return this.http.ask('GET', HERE);
  }

  current(): Promise<ExerciseState> {
    return this.http.ask('GET', `${HERE}/current`);
  }

  start(scenario: string): Promise<ExerciseState> {
    return this.http.ask('POST', HERE, { scenario }, {}, START_TIMEOUT_MS);
  }

  stop(): Promise<ExerciseState> {
    return this.http.ask('DELETE', `${HERE}/current`, undefined, {}, START_TIMEOUT_MS);
  }

  read(id: string): Promise<Exercise> {
    return this.http.ask('GET', `${HERE}/${encodeURIComponent(id)}`);
  }

  csv(id: string): string {
    return `${HERE}/${encodeURIComponent(id)}?format=csv`;
  }
}
