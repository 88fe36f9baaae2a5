// Accounts and keys: who is let in, and to what.

import type { Http } from './http';
import type {
  Account,
  AccountChange,
  Agency,
  CameraGroup,
  IssuedKey,
  MachineKey,
  NewAccount,
  NewKey,
  SessionItem,
} from '../types/accounts';

const USERS = '/api/v1/users';
const KEYS = '/api/v1/keys';
const one = (where: string, name: string) => `${where}/${encodeURIComponent(name)}`;

export class AccountRoutes {
  constructor(private readonly http: Http) {}

  async users(): Promise<Account[]> {
    return (await this.http.ask<{ users: Account[] }>('GET', USERS)).users;
  }

  add(account: NewAccount): Promise<Account> {
    return this.http.ask('POST', USERS, account);
  }

  change(username: string, change: AccountChange): Promise<Account> {
    return this.http.ask('PATCH', one(USERS, username), change);
  }

  async resetPassword(username: string, password: string): Promise<void> {
    await this.http.send('PUT', `${one(USERS, username)}/password`, { password });
  }

  async sessions(username: string): Promise<SessionItem[]> {
    const path = `${one(USERS, username)}/sessions`;
    return (await this.http.ask<{ sessions: SessionItem[] }>('GET', path)).sessions;
  }

  async endSessions(username: string): Promise<void> {
    await this.http.send('DELETE', `${one(USERS, username)}/sessions`);
  }

  keys(): Promise<{ keys: MachineKey[]; known_scopes: string[] }> {
    return this.http.ask('GET', KEYS);
  }

  issue(key: NewKey): Promise<IssuedKey> {
    return this.http.ask('POST', KEYS, key);
  }

  rotate(
    name: string,
    order: { overlap_hours: number; expires_at: string | null },
  ): Promise<IssuedKey> {
    return this.http.ask('POST', `${one(KEYS, name)}/rotate`, order);
  }

  async revoke(name: string): Promise<void> {
    await this.http.send('DELETE', one(KEYS, name));
  }

  async groups(): Promise<CameraGroup[]> {
    return (await this.http.ask<{ groups: CameraGroup[] }>('GET', '/api/v1/camera-groups')).groups;
  }

  async agencies(): Promise<Agency[]> {
    return (await this.http.ask<{ agencies: Agency[] }>('GET', '/api/v1/agencies')).agencies;
  }
}
