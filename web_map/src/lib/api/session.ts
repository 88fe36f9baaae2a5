// Signing in, and what the installation is.

import type { Http } from './http';
import type { Config, SignInWays, User } from '../types';

export class SessionRoutes {
  constructor(private readonly http: Http) {}

  current(): Promise<User> {
    return this.http.ask<User>('GET', '/api/v1/session');
  }

  ways(): Promise<SignInWays> {
    return this.http.ask<SignInWays>('GET', '/api/v1/session/ways');
  }

  signIn(username: string, password: string): Promise<User> {
    return this.http.ask<User>('POST', '/api/v1/session', { username, password });
  }

  async signOut(): Promise<void> {
    await this.http.send('DELETE', '/api/v1/session');
  }

  config(): Promise<Config> {
    return this.http.ask<Config>('GET', '/api/v1/config');
  }
}
