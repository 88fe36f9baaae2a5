// What leaves by webhooks, and what came and could not be used.

import type { Http } from './http';
import type {
  Decision,
  SetAside,
  Undelivered,
  Unused,
  WebhookFields,
  WebhookItem,
} from '../types/deliveries';

const HOOKS = '/api/v1/webhooks';
const LETTERS = '/api/v1/dead-letters';
const MESSAGES = '/api/v1/messages';
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

  /** What came over the bus and could not be used, and what fusion could not work with. */
  async letters(): Promise<{ letters: Unused[]; aside: SetAside[] }> {
    const found = await this.http.ask<{ dead_letters: DeadLetter[]; set_aside: SetAside[] }>(
      'GET',
      LETTERS,
    );
    const letters = found.dead_letters.map((one) => ({
      id: one.id,
      name: one.id,
      at: one.recorded_at,
      why: one.problem,
      url: letterUrl(one.id),
      canBeTaken: one.is_whole,
    }));
    return { letters, aside: found.set_aside };
  }

  async decideLetter(id: string, how: Decision, reason: string): Promise<void> {
    const what = how === 'take' ? 'process' : 'discard';
    await this.http.send('POST', `${letterUrl(id)}/${what}`, { reason });
  }

  /** Phones' and networks' messages that were kept and led to no position. */
  async doubted(): Promise<Unused[]> {
    const found = await this.http.ask<{ messages: KeptMessage[] }>('GET', `${MESSAGES}?limit=200`);
    return found.messages
      .filter((one) => one.fix_ids.length === 0)
      .map((one) => ({
        id: one.message_id,
        name: [one.channel.toUpperCase(), one.sender].filter(Boolean).join(' · '),
        at: one.received_at,
        why: one.problems.join('; '),
        url: messageUrl(one.message_id),
        canBeTaken: true,
      }));
  }

  async decideMessage(id: string, how: Decision, reason: string): Promise<void> {
    const what = how === 'take' ? 'believe' : 'discard';
    await this.http.send('POST', `${messageUrl(id)}/${what}`, { reason });
  }
}

interface DeadLetter {
  id: string;
  recorded_at: string;
  problem: string;
  is_whole: boolean;
}

interface KeptMessage {
  message_id: string;
  channel: string;
  sender: string;
  received_at: string;
  fix_ids: string[];
  problems: string[];
}

/** A letter's id has a topic and a number, with a slash between. */
export function letterUrl(id: string): string {
  return `${LETTERS}/${id.split('/').map(encodeURIComponent).join('/')}`;
}

function messageUrl(id: string): string {
  return `${MESSAGES}/${encodeURIComponent(id)}`;
}
