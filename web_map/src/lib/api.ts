// The REST side: every answer that is no success becomes one `Problem`.

import type {
  AlarmsReport,
  AuditPage,
  ClocksReport,
  CoverageReport,
  KindsReport,
  LedgerReport,
  Reports,
} from './reporttypes';
import type {
  CalibrationPreview,
  CalibrationRequest,
  Call,
  CameraFields,
  CameraView,
  Config,
  EvidenceClip,
  Hazard,
  HeadPosition,
  Incident,
  IncidentAction,
  KeptCalibration,
  LonLat,
  ProbeAnswer,
  RankedCamera,
  StoredCalibration,
  User,
} from './types';

export interface FieldProblem {
  field: string;
  why: string;
}

/** An answer that is an error, or no answer at all (`status` 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly errors: readonly FieldProblem[] = [],
    /** 409: the incident as it is now. */
    readonly current: Incident | null = null,
  ) {
    super(detail);
    this.name = 'Problem';
  }

  get isUnreachable(): boolean {
    return this.status === 0;
  }
}

export interface NewCall {
  hazard: Hazard | null;
  note: string;
  location: (LonLat & { radius_m: number; confidence: number }) | null;
  exercise: boolean;
}

export interface ActionWords {
  reason?: string;
  note?: string;
}

type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

/** How long an action may take before the console says that it isn't known to be saved. */
const TIMEOUT_MS = 10_000;
/** A camera may take ten seconds to answer a worker. */
const PROBE_TIMEOUT_MS = 20_000;

function cameraPath(id: string): string {
  return `/api/v1/cameras/${encodeURIComponent(id)}`;
}

export class Api {
  constructor(private readonly fetch: Fetch = (path, init) => window.fetch(path, init)) {}

  session(): Promise<User> {
    return this.ask<User>('GET', '/api/v1/session');
  }

  signIn(username: string, password: string): Promise<User> {
    return this.ask<User>('POST', '/api/v1/session', { username, password });
  }

  async signOut(): Promise<void> {
    await this.send('DELETE', '/api/v1/session');
  }

  config(): Promise<Config> {
    return this.ask<Config>('GET', '/api/v1/config');
  }

  camera(id: string): Promise<CameraView> {
    return this.ask<CameraView>('GET', cameraPath(id));
  }

  registerCamera(fields: CameraFields): Promise<CameraView> {
    return this.ask('POST', '/api/v1/cameras', fields);
  }

  changeCamera(id: string, version: number, fields: CameraFields): Promise<CameraView> {
    return this.ask('PUT', cameraPath(id), { ...fields, version });
  }

  async removeCamera(id: string, version: number): Promise<void> {
    await this.send('DELETE', `${cameraPath(id)}?version=${version}`);
  }

  /** Opens the stream as it is registered, or as it is described; a worker does it. */
  probeCamera(id: string): Promise<ProbeAnswer> {
    return this.ask('POST', `${cameraPath(id)}/probe`, undefined, {}, PROBE_TIMEOUT_MS);
  }

  probeStream(stream: {
    url: string;
    username?: string | null;
    password?: string | null;
  }): Promise<ProbeAnswer> {
    return this.ask('POST', '/api/v1/cameras/probe', stream, {}, PROBE_TIMEOUT_MS);
  }

  previewCalibration(id: string, request: CalibrationRequest): Promise<CalibrationPreview> {
    return this.ask('POST', `${cameraPath(id)}/calibration/preview`, request);
  }

  storeCalibration(
    id: string,
    request: CalibrationRequest & { version: number; head?: HeadPosition },
  ): Promise<StoredCalibration> {
    return this.ask('PUT', `${cameraPath(id)}/calibration`, request);
  }

  calibrations(id: string): Promise<{ calibrations: KeptCalibration[] }> {
    return this.ask('GET', `${cameraPath(id)}/calibration`);
  }

  restoreCalibration(
    id: string,
    calibrationId: string,
    version: number,
  ): Promise<StoredCalibration> {
    const path = `${cameraPath(id)}/calibration/${encodeURIComponent(calibrationId)}/restore`;
    return this.ask('POST', path, { version });
  }

  async reports(month: string, exercise: boolean): Promise<Reports> {
    const about = `month=${month}&exercise=${exercise}`;
    const report = <T>(name: string) => this.ask<T>('GET', `/api/v1/reports/${name}?${about}`);
    const [kinds, clocks, alarms, ledger, coverage] = await Promise.all([
      report<KindsReport>('kinds'),
      report<ClocksReport>('clocks'),
      report<AlarmsReport>('alarms'),
      report<LedgerReport>('false-alarms'),
      this.ask<CoverageReport>('GET', `/api/v1/coverage?exercise=${exercise}`),
    ]);
    return { kinds, clocks, alarms, ledger, coverage };
  }

  audit(filter: { actor: string; action: string; after: number | null }): Promise<AuditPage> {
    const query = new URLSearchParams();
    if (filter.actor) query.set('actor', filter.actor);
    if (filter.action) query.set('action', filter.action);
    if (filter.after !== null) query.set('after', String(filter.after));
    return this.ask('GET', `/api/v1/audit?${query}`);
  }

  act(incident: Incident, action: IncidentAction, words: ActionWords = {}): Promise<Incident> {
    return this.ask<Incident>(
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

  newCall(call: NewCall, idempotencyKey: string): Promise<{ call: Call; cameras: RankedCamera[] }> {
    return this.ask(
      'POST',
      '/api/v1/calls',
      { ...call, method: 'manual' },
      { 'Idempotency-Key': idempotencyKey },
    );
  }

  /** What an incident's cameras showed, from before the alarm on. */
  evidence(incidentId: string): Promise<{ clips: EvidenceClip[] }> {
    return this.ask('GET', `/api/v1/incidents/${encodeURIComponent(incidentId)}/evidence`);
  }

  private async ask<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    timeoutMs = TIMEOUT_MS,
  ): Promise<T> {
    const response = await this.send(method, path, body, headers, timeoutMs);
    return (await response.json()) as T;
  }

  private async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    timeoutMs = TIMEOUT_MS,
  ): Promise<Response> {
    const init: RequestInit = {
      method,
      credentials: 'same-origin',
      headers: { Accept: 'application/json', ...headers },
      signal: AbortSignal.timeout(timeoutMs),
    };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { ...init.headers, 'Content-Type': 'application/json' };
    }
    let response: Response;
    try {
      response = await this.fetch(path, init);
    } catch (error) {
      throw new Problem(0, error instanceof Error ? error.message : String(error));
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

async function problemOf(response: Response): Promise<Problem> {
  let document: Record<string, unknown> = {};
  if (response.headers.get('content-type')?.includes('json')) {
    try {
      document = (await response.json()) as Record<string, unknown>;
    } catch {
      // A broken body still has a status, and that is told.
      document = {};
    }
  }
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  return new Problem(
    response.status,
    text(document['detail']) || text(document['title']) || `HTTP ${response.status}`,
    Array.isArray(document['errors']) ? (document['errors'] as FieldProblem[]) : [],
    (document['current'] as Incident | undefined) ?? null,
  );
}

/** A fresh key for a request that may be repeated; works without a secure context too. */
export function idempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function evidenceUrl(id: string): string {
  return `/api/v1/evidence/${encodeURIComponent(id)}`;
}
