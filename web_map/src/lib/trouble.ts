// What is wrong with a camera, for whoever wants to see by it.

import { isSick } from './operations.svelte';
import type { CameraState, CameraView } from './types';

/** The state that keeps a camera from being watched, or makes what it shows doubtful. */
export function troubleOf(view: CameraView | undefined): CameraState | null {
  if (!view) return null;
  if (!view.camera.enabled) return 'disabled';
  return isSick(view) ? (view.health?.state ?? null) : null;
}
