// What fusion has learnt from decided incidents, and the models that watch.

import type { Http } from './http';
import type { LearntFigure, ModelFacts, ModelsReport } from '../types/learning';

type ModelsAnswer = Omit<ModelsReport, 'models'> & {
  models: { model: Omit<ModelFacts, 'workers'>; workers: string[] }[];
};

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

  async models(): Promise<ModelsReport> {
    const told = await this.http.ask<ModelsAnswer>('GET', '/api/v1/models');
    const models = told.models.map(({ model, workers }) => ({ ...model, workers }));
    return { ...told, models };
  }
}
