// One calibration at work: clicks in the picture and on the map, and what the server makes of them.
//
// Every change asks the server for a preview a moment later, one question at a time: a fit may take
// seconds, and whoever clicks on must not have the server work at what nobody wants any more. Nothing
// is stored before the admin says so.

import { Problem } from './api';
import type {
  CalibrationPreview,
  CalibrationRequest,
  Camera,
  CameraView,
  HeadPosition,
  LonLat,
  StoredCalibration,
} from './types';

export interface Pixel {
  u: number;
  v: number;
}

/** A spot clicked in the picture, and on the map once that is done too. */
export interface Pair extends Pixel {
  at: LonLat | null;
}

export type Mode = 'points' | 'horizon';

/** What is written on the camera's papers; numbers as they stand in the fields. */
export interface Metadata {
  height_m: number;
  bearing_deg: number;
  tilt_deg: number;
  hfov_deg: number;
  roll_deg: number;
  bearing_sigma_deg: number;
}

export interface CalibrationServer {
  previewCalibration(id: string, request: CalibrationRequest): Promise<CalibrationPreview>;
  storeCalibration(
    id: string,
    request: CalibrationRequest & { version: number; head?: HeadPosition },
  ): Promise<StoredCalibration>;
}

const ASK_AFTER_MS = 200;
/** Where nobody answered. */
const AGAIN_AFTER_MS = 3_000;
const FALLBACK = { width_px: 1280, height_px: 720 };
const UNSURE_BEARING_DEG = 4;
/** Nobody has said where the camera looks: its bearing is searched for all around. */
const UNKNOWN_BEARING_DEG = 60;

export function metadataOf(camera: Camera): Metadata {
  const { pose } = camera;
  return {
    height_m: pose?.height_m ?? 8,
    bearing_deg: pose?.bearing_deg ?? 0,
    tilt_deg: pose?.tilt_deg ?? -15,
    hfov_deg: pose?.hfov_deg ?? 60,
    roll_deg: pose?.roll_deg ?? 0,
    bearing_sigma_deg: pose ? UNSURE_BEARING_DEG : UNKNOWN_BEARING_DEG,
  };
}

export class CalibrationWork {
  mode = $state<Mode>('points');
  pairs = $state<Pair[]>([]);
  horizon = $state<Pixel[]>([]);
  metadata = $state<Metadata>() as Metadata;
  head = $state<HeadPosition | null>(null);
  size = $state<{ width_px: number; height_px: number }>(FALLBACK);
  preview = $state.raw<CalibrationPreview | null>(null);
  problem = $state<Problem | null>(null);
  /** A newer answer is on its way. */
  asking = $state(false);
  stored = $state(false);
  storing = $state(false);

  readonly waiting: number | null = $derived.by(() => {
    const index = this.pairs.findIndex((pair) => pair.at === null);
    return index === -1 ? null : index;
  });

  /** For each pair its residual in pixels; null where it isn't complete or not yet answered. */
  readonly residuals: (number | null)[] = $derived.by(() => {
    let done = 0;
    const residuals = this.preview?.residuals_px ?? [];
    return this.pairs.map((pair) => (pair.at === null ? null : (residuals[done++] ?? null)));
  });

  /** The pair that contradicts the others, as an index of `pairs`. */
  readonly leftOut: number | null = $derived.by(() => {
    const left = this.preview?.left_out ?? null;
    if (left === null) return null;
    const complete = this.pairs.flatMap((pair, index) => (pair.at === null ? [] : [index]));
    return complete[left] ?? null;
  });

  private timer: ReturnType<typeof setTimeout> | undefined;
  private question = 0;
  private isAnswered = true;
  /** Something was moved since the question that is on its way. */
  private isOvertaken = false;

  constructor(
    private readonly server: CalibrationServer,
    private view: CameraView,
    private readonly delayMs = ASK_AFTER_MS,
    private readonly againMs = AGAIN_AFTER_MS,
  ) {
    const { camera } = view;
    this.metadata = metadataOf(camera);
    if (camera.pose) {
      this.size = { width_px: camera.pose.width_px, height_px: camera.pose.height_px };
    }
    if (camera.head) this.head = { pan_deg: 0, tilt_deg: 0, zoom: 0 };
  }

  get camera(): Camera {
    return this.view.camera;
  }

  /** The feed told of a newer version of the camera. */
  renew(view: CameraView): void {
    if (view.camera.id === this.camera.id) this.view = view;
  }

  stop(): void {
    clearTimeout(this.timer);
    this.question += 1;
  }

  clickPicture(at: Pixel): void {
    const { waiting } = this;
    if (this.mode === 'horizon') this.horizon.push(at);
    else if (waiting === null) this.pairs.push({ ...at, at: null });
    else this.pairs[waiting] = { ...at, at: null };
    this.changed();
  }

  /** Completes the pair that waits; false where none does. */
  clickMap(at: LonLat): boolean {
    const pair = this.waiting === null ? undefined : this.pairs[this.waiting];
    if (pair === undefined) return false;
    pair.at = at;
    this.changed();
    return true;
  }

  movePair(index: number, to: Partial<Pixel> & { at?: LonLat }): void {
    const pair = this.pairs[index];
    if (pair === undefined) return;
    this.pairs[index] = { ...pair, ...to };
    this.changed();
  }

  moveHorizon(index: number, to: Pixel): void {
    if (this.horizon[index] === undefined) return;
    this.horizon[index] = to;
    this.changed();
  }

  removePair(index: number): void {
    this.pairs.splice(index, 1);
    this.changed();
  }

  removeHorizon(index: number): void {
    this.horizon.splice(index, 1);
    this.changed();
  }

  /** A picture of another size was taken: what was clicked stands where it stood. */
  resize(width_px: number, height_px: number): void {
    const across = width_px / this.size.width_px;
    const down = height_px / this.size.height_px;
    if (across === 1 && down === 1) return;
    for (const spot of [...this.pairs, ...this.horizon]) {
      spot.u *= across;
      spot.v *= down;
    }
    this.size = { width_px, height_px };
    this.changed();
  }

  request(): CalibrationRequest {
    const { camera, metadata, size } = this;
    const complete = this.pairs.filter((pair) => pair.at !== null);
    const position = camera.pose?.position ?? camera.position;
    return {
      ...size,
      ...metadata,
      position: { lon: position.lon, lat: position.lat },
      points: complete.map(({ u, v, at }) => ({ u, v, lon: at?.lon ?? 0, lat: at?.lat ?? 0 })),
      horizon: this.horizon.map(({ u, v }) => ({ u, v })),
      project: [...complete.map(({ u, v }) => ({ u, v })), ...gridOf(size)],
    };
  }

  changed(): void {
    this.stored = false;
    this.asking = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(), this.delayMs);
  }

  async ask(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.isAnswered) await this.askNow();
    else this.isOvertaken = true;
  }

  private async askNow(): Promise<void> {
    const mine = ++this.question;
    this.isAnswered = false;
    this.isOvertaken = false;
    try {
      const preview = await this.server.previewCalibration(this.camera.id, this.request());
      if (mine !== this.question) return;
      this.preview = preview;
      this.problem = null;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (mine !== this.question) return;
      this.problem = error;
      // Nothing is stored that nobody has seen the fit of.
      if (error.isUnreachable) {
        this.timer ??= setTimeout(() => void this.ask(), this.againMs);
      }
    } finally {
      this.isAnswered = true;
    }
    if (this.isOvertaken) {
      await this.askNow();
      return;
    }
    // Shown at once, but not the last word where something has been moved since it was asked.
    this.asking = this.timer !== undefined;
  }

  async store(): Promise<CameraView | null> {
    const head = this.head === null ? {} : { head: { ...this.head } };
    const request = { ...this.request(), version: this.camera.version, ...head };
    this.storing = true;
    try {
      const answer = await this.server.storeCalibration(this.camera.id, request);
      this.view = answer.camera;
      this.problem = null;
      this.stored = true;
      return answer.camera;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
      return null;
    } finally {
      this.storing = false;
    }
  }
}

/** Where else the place of a pixel is shown with its error: across the lower part of the picture. */
function gridOf({ width_px, height_px }: { width_px: number; height_px: number }): Pixel[] {
  const found: Pixel[] = [];
  for (const down of [0.6, 0.75, 0.92]) {
    for (const across of [0.15, 0.5, 0.85]) {
      found.push({ u: width_px * across, v: height_px * down });
    }
  }
  return found;
}
