// The register of cameras, and their calibration.

import type { Http } from './http';
import type {
  BulkAnswer,
  CalibrationPreview,
  CalibrationRequest,
  Camera,
  CameraFields,
  CameraView,
  HeadPosition,
  HealthEntry,
  ImportReport,
  KeptCalibration,
  ProbeAnswer,
  SiteOutage,
  StoredCalibration,
} from '../types';

/** A camera may take ten seconds to answer a worker. */
const PROBE_TIMEOUT_MS = 20_000;

/** A camera of unknown bearing is searched for all around. */
const FIT_TIMEOUT_MS = 30_000;

/** Thousands of addresses are looked up, or fields of view worked out. */
const THOUSANDS_TIMEOUT_MS = 120_000;

function cameraPath(id: string): string {
  return `/api/v1/cameras/${encodeURIComponent(id)}`;
}

export class CameraRoutes {
  constructor(private readonly http: Http) {}

  async all(): Promise<CameraView[]> {
    const path = '/api/v1/cameras';
    const timeoutMs = THOUSANDS_TIMEOUT_MS;
    return (await this.http.ask<{ cameras: CameraView[] }>('GET', path, undefined, {}, timeoutMs))
      .cameras;
  }

  get(id: string): Promise<CameraView> {
    return this.http.ask<CameraView>('GET', cameraPath(id));
  }

  register(fields: CameraFields & { id: string }): Promise<CameraView> {
    return this.http.ask('POST', '/api/v1/cameras', fields);
  }

  change(id: string, version: number, fields: CameraFields): Promise<CameraView> {
    return this.http.ask('PUT', cameraPath(id), { ...fields, version });
  }

  async remove(id: string, version: number): Promise<void> {
    await this.http.send('DELETE', `${cameraPath(id)}?version=${version}`);
  }

  /** Opens the stream as it is registered, or as it is described; a worker does it. */
  probe(id: string): Promise<ProbeAnswer> {
    return this.http.ask('POST', `${cameraPath(id)}/probe`, undefined, {}, PROBE_TIMEOUT_MS);
  }

  probeStream(stream: {
    url: string;
    username?: string | null;
    password?: string | null;
    any_certificate?: boolean;
  }): Promise<ProbeAnswer> {
    return this.http.ask('POST', '/api/v1/cameras/probe', stream, {}, PROBE_TIMEOUT_MS);
  }

  /** The register's file as it is; without `write` it is only looked at. */
  async import(file: Blob, profile: string, write: boolean): Promise<ImportReport> {
    const query = new URLSearchParams({ dry_run: String(!write), profile });
    return this.http.upload(`/api/v1/cameras/import?${query}`, file, THOUSANDS_TIMEOUT_MS);
  }

  changeMany(
    cameras: readonly Camera[],
    change: { enabled?: boolean; group?: string },
  ): Promise<BulkAnswer> {
    const members = cameras.map(({ id, version }) => ({ id, version }));
    return this.http.ask('POST', '/api/v1/cameras/bulk', { cameras: members, ...change });
  }

  async outages(): Promise<SiteOutage[]> {
    const path = '/api/v1/camera-outages';
    return (await this.http.ask<{ outages: SiteOutage[] }>('GET', path)).outages;
  }

  health(
    id: string,
    after: number | null = null,
  ): Promise<{ entries: HealthEntry[]; next: number | null }> {
    const query = after === null ? '' : `?after=${after}`;
    return this.http.ask('GET', `${cameraPath(id)}/health-history${query}`);
  }

  previewCalibration(id: string, request: CalibrationRequest): Promise<CalibrationPreview> {
    const path = `${cameraPath(id)}/calibration/preview`;
    return this.http.ask('POST', path, request, {}, FIT_TIMEOUT_MS);
  }

  storeCalibration(
    id: string,
    request: CalibrationRequest & { version: number; head?: HeadPosition },
  ): Promise<StoredCalibration> {
    return this.http.ask('PUT', `${cameraPath(id)}/calibration`, request, {}, FIT_TIMEOUT_MS);
  }

  calibrations(id: string): Promise<{ calibrations: KeptCalibration[] }> {
    return this.http.ask('GET', `${cameraPath(id)}/calibration`);
  }

  restoreCalibration(
    id: string,
    calibrationId: string,
    version: number,
  ): Promise<StoredCalibration> {
    const path = `${cameraPath(id)}/calibration/${encodeURIComponent(calibrationId)}/restore`;
    return this.http.ask('POST', path, { version });
  }
}
