// Calls to the emergency number.

import type { Http } from './http';
import type { Call, Hazard, LonLat, RankedCamera } from '../types';

export interface NewCall {
  hazard: Hazard | null;
  note: string;
  location: (LonLat & { radius_m: number; confidence: number }) | null;
  exercise: boolean;
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
}
