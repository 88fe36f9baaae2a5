// Asking the server: every answer that is no success becomes one `Problem`.

import type { Incident } from '../types';

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
    /** 429 and 503: when it may be tried again; 0 where that wasn't said. */
    readonly waitS: number = 0,
  ) {
    super(detail);
    this.name = 'Problem';
  }

  get isUnreachable(): boolean {
    return this.status === 0;
  }
}

export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

/** Where one signs in, and asks whether one is. */
const SESSION = '/api/v1/session';

/** How long an action may take before the console says that it isn't known to be saved. */
const TIMEOUT_MS = 10_000;

export class Http {
  onSignedOut: () => void = () => undefined;

  constructor(private readonly fetch: Fetch) {}

  async ask<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    timeoutMs = TIMEOUT_MS,
  ): Promise<T> {
    return answerOf<T>(await this.send(method, path, body, headers, timeoutMs));
  }

  /** A file as it is. */
  async upload<T>(path: string, file: Blob, timeoutMs: number): Promise<T> {
    return answerOf<T>(await this.fetched('POST', path, file, {}, timeoutMs));
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    timeoutMs = TIMEOUT_MS,
  ): Promise<Response> {
    if (body === undefined) return this.fetched(method, path, null, headers, timeoutMs);
    const json = { ...headers, 'Content-Type': 'application/json' };
    return this.fetched(method, path, JSON.stringify(body), json, timeoutMs);
  }

  private async fetched(
    method: string,
    path: string,
    body: Blob | string | null,
    headers: Record<string, string>,
    timeoutMs: number,
  ): Promise<Response> {
    const init: RequestInit = {
      method,
      credentials: 'same-origin',
      headers: { Accept: 'application/json', ...headers },
      signal: AbortSignal.timeout(timeoutMs),
    };
    if (body !== null) init.body = body;
    let response: Response;
    try {
      response = await this.fetch(path, init);
    } catch (error) {
      throw new Problem(0, error instanceof Error ? error.message : String(error));
    }
    if (response.status === 401 && path !== SESSION) this.onSignedOut();
    if (!response.ok) throw await problemOf(response);
    return response;
  }
}

async function answerOf<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch (error) {
    // The line broke, or time ran out, in the middle of the answer.
    throw new Problem(0, error instanceof Error ? error.message : String(error));
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
    Number(response.headers.get('retry-after')) || 0,
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
