// What fusion has learnt from decided incidents, and the models that watch.

import type { Http } from './http';
import type { LearntFigure, ModelsReport } from '../types/learning';

export class LearningRoutes {
  constructor(private readonly http: Http) {}

  async figures(): Promise<LearntFigure[]> {
    return (await this.http.ask<{ figures: LearntFigure[] }>('GET', '/api/v1/learning')).figures;
  }

  freeze(name: string, frozen: boolean): Promise<LearntFigure> {
    return this.http.ask('PUT', '/api/v1/learning', { name, frozen });
  }

  reset(name: string): Promise<LearntFigure> {
    return this.http.ask('PUT', '/api/v1/learning', { name, reset: true });
  }

  models(): Promise<ModelsReport> {
    return this.http.ask('GET', '/api/v1/models');
  }
}
