// Calls to the emergency number.

import type { Call, Hazard, LonLat, NamedPlace, RankedCamera, Similar } from '../types';
import type { Http } from './http';

export type CallLocation = LonLat & { radius_m: number; confidence: number };

export interface NewCall {
  hazard: Hazard | null;
  note: string;
  location: CallLocation | null;
  exercise: boolean;
}

/** What can be seen of a place, and what is known about it already. */
export interface Outlook {
  cameras: RankedCamera[];
  incidents: Similar[];
}

export class CallRoutes {
  constructor(private readonly http: Http) {}

  take(call: NewCall, idempotencyKey: string): Promise<{ call: Call; cameras: RankedCamera[] }> {
    return this.http.ask(
      'POST',
      '/api/v1/calls',
      { ...call, method: 'manual' },
      { 'Idempotency-Key': idempotencyKey },
    );
  }

  /** One more position of a caller; the earlier ones stay. */
  locate(
    callId: string,
    location: CallLocation,
    idempotencyKey: string,
  ): Promise<{ call: Call; cameras: RankedCamera[] }> {
    return this.http.ask(
      'POST',
      `/api/v1/calls/${encodeURIComponent(callId)}/fixes`,
      { location, method: 'manual' },
      { 'Idempotency-Key': idempotencyKey },
    );
  }

  /** Stores nothing. */
  outlook(call: Omit<NewCall, 'note'>): Promise<Outlook> {
    return this.http.ask('POST', '/api/v1/calls/outlook', call);
  }

  /** Take a call over that a phone's position has founded. */
  say(callId: string, hazard: Hazard | null, note: string): Promise<Call> {
    return this.http.ask('PUT', `/api/v1/calls/${encodeURIComponent(callId)}`, { hazard, note });
  }

  cameras(callId: string): Promise<{ cameras: RankedCamera[] }> {
    return this.http.ask('GET', `/api/v1/calls/${encodeURIComponent(callId)}/cameras`);
  }

  /** Areas, streets and spots by a few letters of their names. */
  places(text: string): Promise<{ places: NamedPlace[] }> {
    return this.http.ask('GET', `/api/v1/places?${new URLSearchParams({ q: text })}`);
  }
}
