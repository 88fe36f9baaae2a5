// The REST side, by room: `api.incidents.act(...)`, `api.cameras.probe(...)`.

import { AccountRoutes } from './accounts';
import { CallRoutes } from './calls';
import { CameraRoutes } from './cameras';
import { DeliveryRoutes } from './deliveries';
import { DeskRoutes } from './desk';
import { ExerciseRoutes } from './exercises';
import { Http, type Fetch } from './http';
import { IncidentRoutes } from './incidents';
import { LearningRoutes } from './learning';
import { ReportRoutes } from './reports';
import { SessionRoutes } from './session';

export { evidenceUrl, idempotencyKey, Problem, type FieldProblem } from './http';
export type { CallLocation, NewCall, Outlook } from './calls';
export { attachmentUrl, photoUrl, type ActionWords } from './incidents';

export class Api {
  readonly session: SessionRoutes;
  readonly incidents: IncidentRoutes;
  readonly calls: CallRoutes;
  readonly cameras: CameraRoutes;
  readonly deliveries: DeliveryRoutes;
  readonly desk: DeskRoutes;
  readonly exercises: ExerciseRoutes;
  readonly accounts: AccountRoutes;
  readonly learning: LearningRoutes;
  readonly reports: ReportRoutes;

  private readonly http: Http;

  constructor(fetch: Fetch = (path, init) => window.fetch(path, init)) {
    const http = new Http(fetch);
    this.http = http;
    this.session = new SessionRoutes(http);
    this.incidents = new IncidentRoutes(http);
    this.calls = new CallRoutes(http);
    this.cameras = new CameraRoutes(http);
    this.deliveries = new DeliveryRoutes(http);
    this.desk = new DeskRoutes(http);
    this.exercises = new ExerciseRoutes(http);
    this.accounts = new AccountRoutes(http);
    this.learning = new LearningRoutes(http);
    this.reports = new ReportRoutes(http);
  }

  /** What is done where an answer says that nobody is signed in (any more). */
  onSignedOut(told: () => void): void {
    this.http.onSignedOut = told;
  }
}
