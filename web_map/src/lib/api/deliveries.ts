// What leaves by webhooks, and what came and could not be used.

import type { Http } from './http';
import type {
  DeadLetter,
  SetAside,
  Undelivered,
  WebhookFields,
  WebhookItem,
} from '../types/deliveries';

const HOOKS = '/api/v1/webhooks';
const LETTERS = '/api/v1/dead-letters';
const hook = (id: string) => `${HOOKS}/${encodeURIComponent(id)}`;

export class DeliveryRoutes {
  constructor(private readonly http: Http) {}

  async webhooks(): Promise<WebhookItem[]> {
    return (await this.http.ask<{ webhooks: WebhookItem[] }>('GET', HOOKS)).webhooks;
  }

  add(fields: WebhookFields): Promise<WebhookItem & { secret: string }> {
    return this.http.ask('POST', HOOKS, fields);
  }

  change(id: string, version: number, fields: WebhookFields): Promise<WebhookItem> {
    return this.http.ask('PUT', hook(id), { ...fields, version });
  }

  async remove(id: string): Promise<void> {
    await this.http.send('DELETE', hook(id));
  }

  /** The old secret is good beside the new one for a day. */
  async newSecret(id: string): Promise<string> {
    return (await this.http.ask<{ secret: string }>('POST', `${hook(id)}/secret`, {})).secret;
  }

  undelivered(
    id: string,
    after: number | null,
  ): Promise<{ dead_letters: Undelivered[]; next: number | null }> {
    const query = after === null ? '' : `?after=${after}`;
    return this.http.ask('GET', `${hook(id)}/dead-letters${query}`);
  }

  /** Those named, or all. */
  async sendAgain(id: string, seqs: number[] | null): Promise<number> {
    const path = `${hook(id)}/dead-letters/send`;
    return (await this.http.ask<{ queued: number }>('POST', path, { seqs })).queued;
  }

  letters(): Promise<{ dead_letters: DeadLetter[]; set_aside: SetAside[] }> {
    return this.http.ask('GET', LETTERS);
  }

  /** Its id has a topic and a number, with a slash between. */
  letterUrl(id: string): string {
    return `${LETTERS}/${id.split('/').map(encodeURIComponent).join('/')}`;
  }

  async takeIn(id: string, reason: string): Promise<void> {
    await this.http.send('POST', `${this.letterUrl(id)}/process`, { reason });
  }

  async throwAway(id: string, reason: string): Promise<void> {
    await this.http.send('POST', `${this.letterUrl(id)}/discard`, { reason });
  }
}
