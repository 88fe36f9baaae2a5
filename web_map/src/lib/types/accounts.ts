// People's accounts and machines' keys, as those who give them out see them.

export const ROLES = [
  'viewer',
  'operator',
  'camera_admin',
  'supervisor',
  'dispatch',
  'auditor',
] as const;
export type Role = (typeof ROLES)[number];

export interface Account {
  username: string;
  display_name: string;
  role: Role;
  enabled: boolean;
  /** Signs in with the identity provider. */
  external: boolean;
  /** Null: all cameras. */
  camera_groups: string[] | null;
  agency_id: string | null;
  created_at: string;
}

export interface NewAccount {
  username: string;
  password: string;
  role: Role;
  display_name?: string;
  camera_groups: string[] | null;
  agency_id: string | null;
}

export interface AccountChange {
  role?: Role;
  display_name?: string;
  enabled?: boolean;
  camera_groups?: string[] | null;
}

export interface SessionItem {
  begun_at: string;
  used_at: string;
}

export interface MachineKey {
  name: string;
  role: Role;
  scopes: string[] | null;
  camera_groups: string[] | null;
  agency_id: string | null;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  /** The key before it is let in until then. */
  previous_until: string | null;
  used_at: string | null;
}

export interface NewKey {
  name: string;
  role: Role;
  expires_at: string | null;
  scopes: string[] | null;
  camera_groups: string[] | null;
  agency_id: string | null;
}

export interface IssuedKey {
  name: string;
  key: string;
}

export interface CameraGroup {
  name: string;
  cameras: number;
  enabled: number;
  live: number;
  sick: number;
}

export interface Agency {
  id: string;
  name: string;
}
