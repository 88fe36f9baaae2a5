// Incidents: what is done to them, and what their cameras showed.

import type { Http } from './http';
import type { EvidenceClip, Incident, IncidentAction } from '../types';

export interface ActionWords {
  reason?: string;
  note?: string;
}

export class IncidentRoutes {
  constructor(private readonly http: Http) {}

  act(incident: Incident, action: IncidentAction, words: ActionWords = {}): Promise<Incident> {
    return this.http.ask<Incident>(
      'POST',
      `/api/v1/incidents/${encodeURIComponent(incident.id)}/actions`,
      {
        action,
        version: incident.version,
        reason: words.reason ?? '',
        note: words.note ?? '',
        duplicate_of: null,
      },
    );
  }

  /** What an incident's cameras showed, from before the alarm on. */
  evidence(incidentId: string): Promise<{ clips: EvidenceClip[] }> {
    return this.http.ask('GET', `/api/v1/incidents/${encodeURIComponent(incidentId)}/evidence`);
  }
}
