// The desk beside incidents: agencies, what is kept quiet, and what shifts tell one another.

import type { Agency, Handover, Hazard, Shelf } from '../types';
import type { Http } from './http';

export interface NewShelf {
  camera_id: string | null;
  hazard: Hazard | null;
  reason: string;
  until: string;
  exercise: boolean;
}

export class DeskRoutes {
  constructor(private readonly http: Http) {}

  agencies(): Promise<{ agencies: Agency[] }> {
    return this.http.ask('GET', '/api/v1/agencies');
  }

  shelve(shelf: NewShelf): Promise<Shelf> {
    return this.http.ask('POST', '/api/v1/shelves', shelf);
  }

  unshelve(shelfId: string): Promise<Shelf> {
    return this.http.ask('DELETE', `/api/v1/shelves/${encodeURIComponent(shelfId)}`);
  }

  handovers(): Promise<{ handovers: Handover[] }> {
    return this.http.ask('GET', '/api/v1/handovers?limit=20');
  }

  handOver(text: string, incidentIds: string[], exercise: boolean): Promise<Handover> {
    return this.http.ask('POST', '/api/v1/handovers', {
      text,
      incident_ids: incidentIds,
      exercise,
    });
  }

  takeOver(handoverId: string): Promise<Handover> {
    return this.http.ask('POST', `/api/v1/handovers/${encodeURIComponent(handoverId)}/take`);
  }
}
