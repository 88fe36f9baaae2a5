// Reports and the audit trail.

import type { Http } from './http';
import type {
  AlarmsReport,
  AuditPage,
  ClocksReport,
  CoverageReport,
  HeatReport,
  KindsReport,
  LedgerReport,
  Reports,
} from '../types/reports';

/** A month of a large city, and what its cameras see of it, take their time. */
const TIMEOUT_MS = 60_000;

export class ReportRoutes {
  constructor(private readonly http: Http) {}

  async month(month: string, exercise: boolean): Promise<Reports> {
    const about = `month=${month}&exercise=${exercise}`;
    const ask = <T>(path: string) => this.http.ask<T>('GET', path, undefined, {}, TIMEOUT_MS);
    const report = <T>(name: string) => ask<T>(`/api/v1/reports/${name}?${about}`);
    const [kinds, clocks, alarms, ledger, heat, coverage] = await Promise.all([
      report<KindsReport>('kinds'),
      report<ClocksReport>('clocks'),
      report<AlarmsReport>('alarms'),
      report<LedgerReport>('false-alarms'),
      report<HeatReport>('heat'),
      ask<CoverageReport>(`/api/v1/coverage?exercise=${exercise}`),
    ]);
    return { kinds, clocks, alarms, ledger, heat, coverage };
  }

  audit(filter: { actor: string; action: string; after: number | null }): Promise<AuditPage> {
    const query = new URLSearchParams();
    if (filter.actor) query.set('actor', filter.actor);
    if (filter.action) query.set('action', filter.action);
    if (filter.after !== null) query.set('after', String(filter.after));
    return this.http.ask('GET', `/api/v1/audit?${query}`);
  }
}
