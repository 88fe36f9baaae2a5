// Incidents: what is done to them, who is sent, and what their cameras showed.

import type {
  AssignmentState,
  EvidenceClip,
  Incident,
  IncidentAction,
  Responder,
  Similar,
} from '../types';
import type { Http } from './http';

export interface ActionWords {
  reason?: string;
  note?: string;
  duplicateOf?: string;
}

/** A clip from somebody's phone over a slow line. */
const ATTACH_TIMEOUT_MS = 60_000;

function incidentPath(incidentId: string): string {
  return `/api/v1/incidents/${encodeURIComponent(incidentId)}`;
}

export class IncidentRoutes {
  constructor(private readonly http: Http) {}

  read(incidentId: string): Promise<Incident> {
    return this.http.ask('GET', incidentPath(incidentId));
  }

  act(incident: Incident, action: IncidentAction, words: ActionWords = {}): Promise<Incident> {
    return this.http.ask('POST', `${incidentPath(incident.id)}/actions`, {
      action,
      version: incident.version,
      reason: words.reason ?? '',
      note: words.note ?? '',
      duplicate_of: words.duplicateOf ?? null,
    });
  }

  /** Take one's own last step back. */
  undo(incident: Incident): Promise<Incident> {
    return this.http.ask('POST', `${incidentPath(incident.id)}/undo`, {
      version: incident.version,
    });
  }

  /** `kept` takes `other` in. */
  merge(kept: Incident, other: Incident, reason: string): Promise<Incident> {
    return this.http.ask('POST', `${incidentPath(kept.id)}/merge`, {
      other_id: other.id,
      version: kept.version,
      other_version: other.version,
      reason,
    });
  }

  split(
    incident: Incident,
    what: { camera_ids: string[]; call_ids: string[] },
    reason: string,
  ): Promise<{ incident: Incident; new: Incident }> {
    return this.http.ask('POST', `${incidentPath(incident.id)}/split`, {
      ...what,
      version: incident.version,
      reason,
    });
  }

  /** Other open incidents nearby or alike, with the probability that they are the same event. */
  similar(incidentId: string): Promise<{ similar: Similar[] }> {
    return this.http.ask('GET', `${incidentPath(incidentId)}/similar`);
  }

  /** The responsible agencies, each with its nearest units that fit and are free. */
  responders(incidentId: string): Promise<{ responders: Responder[] }> {
    return this.http.ask('GET', `${incidentPath(incidentId)}/responders`);
  }

  assign(incident: Incident, agencyId: string, unitId: string | null): Promise<Incident> {
    return this.http.ask('POST', `${incidentPath(incident.id)}/assignments`, {
      agency_id: agencyId,
      unit_id: unitId,
      version: incident.version,
    });
  }

  progress(incident: Incident, assignmentId: string, state: AssignmentState): Promise<Incident> {
    const path = `${incidentPath(incident.id)}/assignments/${encodeURIComponent(assignmentId)}`;
    return this.http.ask('POST', path, { state });
  }

  /** What its cameras showed, from before the alarm on. */
  evidence(incidentId: string): Promise<{ clips: EvidenceClip[] }> {
    return this.http.ask('GET', `${incidentPath(incidentId)}/evidence`);
  }

  /** A picture, clip or PDF for the file. */
  attach(incidentId: string, file: File): Promise<Incident> {
    const query = new URLSearchParams({ name: file.name.slice(0, 200) });
    const path = `${incidentPath(incidentId)}/attachments?${query}`;
    return this.http.upload(path, file, ATTACH_TIMEOUT_MS);
  }
}

export function attachmentUrl(incidentId: string, evidenceId: string): string {
  return `${incidentPath(incidentId)}/attachments/${encodeURIComponent(evidenceId)}`;
}

/** A photo that came with a citizen's report. */
export function photoUrl(callId: string, evidenceId: string): string {
  return `/api/v1/calls/${encodeURIComponent(callId)}/photos/${encodeURIComponent(evidenceId)}`;
}
