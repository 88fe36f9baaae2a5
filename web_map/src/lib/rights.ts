// What the console offers to whom. The server decides; here nothing is offered that it would refuse.

import type { User } from './types';

const CAMERA_DESK: ReadonlySet<string> = new Set(['camera_admin', 'supervisor']);

export function mayKeepCameras(user: User | null): boolean {
  return user !== null && CAMERA_DESK.has(user.role);
}
