// What the console offers to whom. The server decides; here nothing is offered that it would refuse.

import { SCREENS, type Screen } from './route.svelte';
import type { User } from './types';

type Roles = ReadonlySet<string>;

const WATCHERS: Roles = new Set(['viewer', 'operator', 'camera_admin', 'supervisor', 'dispatch']);
const CAMERA_DESK: Roles = new Set(['camera_admin', 'supervisor']);
const DECIDERS: Roles = new Set(['operator', 'supervisor', 'dispatch']);
const REPORT_READERS: Roles = new Set(['supervisor', 'dispatch', 'auditor']);
const INSPECTORS: Roles = new Set(['supervisor', 'auditor']);
const SUPERVISORS: Roles = new Set(['supervisor']);

const OPEN_TO: Record<Exclude<Screen, 'operations'>, Roles> = {
  wall: WATCHERS,
  cameras: CAMERA_DESK,
  reports: REPORT_READERS,
  exercises: REPORT_READERS,
  admin: INSPECTORS,
};

export function screensOf(user: User | null): readonly Screen[] {
  return SCREENS.filter((screen) => screen === 'operations' || has(user, OPEN_TO[screen]));
}

/** Calls and decisions about incidents. */
export function mayDecide(user: User | null): boolean {
  return has(user, DECIDERS);
}

export function mayKeepCameras(user: User | null): boolean {
  return has(user, CAMERA_DESK);
}

/** Exercises, accounts, keys, and what was learnt: others only look. */
export function maySupervise(user: User | null): boolean {
  return has(user, SUPERVISORS);
}

/** The audit trail, accounts and keys. */
export function mayInspect(user: User | null): boolean {
  return has(user, INSPECTORS);
}

function has(user: User | null, roles: Roles): boolean {
  return user !== null && roles.has(user.role);
}
