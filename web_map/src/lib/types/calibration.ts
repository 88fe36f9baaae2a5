// Finding a camera's pose.

import type { CameraPose, CameraView } from './cameras';
import type { Area, LonLat } from './places';

export interface CalibrationRequest {
  width_px: number;
  height_px: number;
  position: LonLat;
  height_m: number;
  bearing_deg: number;
  bearing_sigma_deg: number;
  tilt_deg: number;
  roll_deg: number;
  hfov_deg: number;
  points: { u: number; v: number; lon: number; lat: number }[];
  horizon: { u: number; v: number }[];
  project: { u: number; v: number }[];
}

export interface PlacedPixel {
  u: number;
  v: number;
  lon: number | null;
  lat: number | null;
  range_m: number | null;
  bearing_deg: number;
  region95: Area | null;
}

export interface CalibrationPreview {
  pose: CameraPose;
  residuals_px: number[];
  left_out: number | null;
  warnings: string[];
  projected: PlacedPixel[];
  field_of_view: Area | null;
}

export interface HeadPosition {
  pan_deg: number;
  tilt_deg: number;
  zoom: number;
}

export interface KeptCalibration {
  id: string;
  camera_version: number;
  recorded_at: string;
  actor: string;
  origin: 'fitted' | 'proposed' | 'restored' | 'registered';
  is_current: boolean;
  pose: CameraPose;
}

export interface StoredCalibration {
  calibration: KeptCalibration;
  camera: CameraView;
}
