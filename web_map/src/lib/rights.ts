// What the console offers to whom. The server decides; here nothing is offered that it would refuse.

import { SCREENS, type Screen } from './route.svelte';
import type { User } from './types';

const CAMERA_DESK: ReadonlySet<string> = new Set(['camera_admin', 'supervisor']);

const REPORT_READERS: ReadonlySet<string> = new Set(['supervisor', 'dispatch', 'auditor']);

export function screensOf(user: User | null): readonly Screen[] {
  return SCREENS.filter(
    (screen) =>
      screen === 'operations' ||
      (screen === 'cameras' && mayKeepCameras(user)) ||
      (screen === 'reports' && user !== null && REPORT_READERS.has(user.role)),
  );
}

export function mayKeepCameras(user: User | null): boolean {
  return user !== null && CAMERA_DESK.has(user.role);
}
