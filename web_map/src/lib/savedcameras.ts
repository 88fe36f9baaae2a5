// Fields of view of cameras that were saved: the feed tells of the camera, and the server what it
// sees from now on.
//
// A register of thousands is taken over or switched at once, before everybody's eyes. Asking for each
// by itself would use up what the server answers one session, and with it what its operator does.

import { Problem } from './api';
import type { Camera, CameraView } from './types';

const GATHER_MS = 250;
const MOST_SINGLY = 8;
/** After all were asked for: what is long goes on being written for a while. */
const REST_MS = 2_000;

/** Whether both see the same ground. */
export function samePose(one: Camera, other: Camera): boolean {
  return JSON.stringify(one.pose) === JSON.stringify(other.pose);
}

export interface CameraServer {
  all(): Promise<CameraView[]>;
  get(id: string): Promise<CameraView>;
}

export class SavedCameras {
  private waiting = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly server: CameraServer,
    /** What is known of them now. */
    private readonly cameras: ReadonlyMap<string, CameraView>,
    private readonly put: (view: CameraView) => void,
    private readonly gatherMs = GATHER_MS,
  ) {}

  note(id: string): void {
    this.waiting.add(id);
    this.timer ??= setTimeout(() => void this.ask(), this.gatherMs);
  }

  private async ask(): Promise<void> {
    const ids = this.waiting;
    const many = ids.size > MOST_SINGLY;
    this.waiting = new Set();
    try {
      if (many) {
        for (const view of await this.server.all()) if (ids.has(view.camera.id)) this.learn(view);
      } else {
        for (const id of ids) this.learn(await this.server.get(id));
      }
    } catch (error) {
      // The old field of view stands; the next snapshot brings the new one.
      if (!(error instanceof Problem)) throw error;
    } finally {
      this.timer = undefined;
      if (many || this.waiting.size > 0) {
        this.timer = setTimeout(() => void this.ask(), many ? REST_MS : this.gatherMs);
      }
    }
  }

  /** Of the answer only what the feed doesn't tell: it may be older than what that told since. */
  private learn(view: CameraView): void {
    const known = this.cameras.get(view.camera.id);
    if (known === undefined || !samePose(known.camera, view.camera)) return;
    this.put({ ...known, field_of_view: view.field_of_view });
  }
}
