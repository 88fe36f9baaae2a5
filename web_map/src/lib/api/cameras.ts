// The register of cameras, and their calibration.

import type { Http } from './http';
import type {
  CalibrationPreview,
  CalibrationRequest,
  CameraFields,
  CameraView,
  HeadPosition,
  KeptCalibration,
  ProbeAnswer,
  StoredCalibration,
} from '../types';

/** A camera may take ten seconds to answer a worker. */
const PROBE_TIMEOUT_MS = 20_000;

function cameraPath(id: string): string {
  return `/api/v1/cameras/${encodeURIComponent(id)}`;
}

export class CameraRoutes {
  constructor(private readonly http: Http) {}

  get(id: string): Promise<CameraView> {
    return this.http.ask<CameraView>('GET', cameraPath(id));
  }

  register(fields: CameraFields): Promise<CameraView> {
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
  }): Promise<ProbeAnswer> {
    return this.http.ask('POST', '/api/v1/cameras/probe', stream, {}, PROBE_TIMEOUT_MS);
  }

  previewCalibration(id: string, request: CalibrationRequest): Promise<CalibrationPreview> {
    return this.http.ask('POST', `${cameraPath(id)}/calibration/preview`, request);
  }

  storeCalibration(
    id: string,
    request: CalibrationRequest & { version: number; head?: HeadPosition },
  ): Promise<StoredCalibration> {
    return this.http.ask('PUT', `${cameraPath(id)}/calibration`, request);
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
