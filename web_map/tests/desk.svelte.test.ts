import { flushSync } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { Api } from '../src/lib/api';
import { clock } from '../src/lib/clock.svelte';
import { Desk } from '../src/lib/desk.svelte';
import { Feed, type FeedHandlers } from '../src/lib/feed';
import type { Incident } from '../src/lib/types';
import { acted, estimate, incident, snapshot } from './builders';

type Answer = { status: number; body?: unknown } | 'unreachable';
interface Request {
  method: string;
  path: string;
  body: Record<string, unknown>;
}

const CONFIG = {
  version: '0',
  city: { name: 'Kota Bekasi', lon: 107, lat: -6.2, radius_m: 30_000, timezone: 'Asia/Jakarta' },
  map: { style_url: null, pmtiles_url: null, geojson_urls: [], attribution: '', zoom: 13 },
  exercise: false,
};
const USER = { username: 'ayu', display_name: 'Ayu', role: 'operator' };
let release: (() => void) | null = null;
let desk: Desk;

/** A desk on a scripted server; the feed is driven by hand. */
async function deskWith(
  act: (request: Request) => Answer | Promise<Answer>,
  config: Answer = { status: 200, body: CONFIG },
) {
  const api = new Api(async (path, init) => {
    const request = {
      method: init?.method ?? 'GET',
      path,
      body: JSON.parse(String(init?.body ?? '{}')) as Record<string, unknown>,
    };
    const answer: Answer = path.endsWith('/session')
      ? { status: 200, body: USER }
      : path.endsWith('/config')
        ? config
        : path.endsWith('/agencies')
          ? { status: 200, body: { agencies: [] } }
          : path.includes('/handovers')
            ? { status: 200, body: { handovers: [] } }
            : await act(request);
    if (answer === 'unreachable') throw new TypeError('network');
    const type = answer.status < 400 ? 'application/json' : 'application/problem+json';
    return new Response(JSON.stringify(answer.body ?? {}), {
      status: answer.status,
      headers: { 'content-type': type },
    });
  });
  let handlers: FeedHandlers | undefined;
  release = $effect.root(() => {
    desk = new Desk(api, 'ws://desk', (url, given) => {
      handlers = given;
      return new Feed(url, given, {
        open: () => ({ onopen: null, onmessage: null, onclose: null, close: () => undefined }),
        random: () => 1,
      });
    });
  });
  await desk.signIn('ayu', 'secret');
  handlers!.snapshot(
    snapshot({ incidents: [incident({ id: 'i1' }), incident({ id: 'i2', priority: 2 })] }),
  );
  flushSync();
  return handlers!;
}

afterEach(() => {
  desk.stop();
  release?.();
});

const selected = () => desk.selected as Incident;

describe('a desk', () => {
  it('starts with the most urgent incident, and nothing moves it but a person', async () => {
    const feed = await deskWith(() => ({ status: 500 }));
    expect(desk.operations.selectedId).toBe('i1');
    const change = acted(11, incident({ id: 'i9' }));
    feed.changes([{ ...change, kind: 'incident.founded' } as typeof change]);
    flushSync();
    expect(desk.operations.selectedId).toBe('i1');
    expect(desk.announced?.id).toBe('i9');
    expect(desk.queue.unseen).toBe(3);
  });

  it('stops listening where it cannot be set up, so that one can sign in again', async () => {
    await expect(deskWith(() => ({ status: 500 }), { status: 503 })).rejects.toThrow();
    expect(desk.connection).toBe('stopped');
    expect(desk.phase).not.toBe('working');
  });

  it('tells and counts a candidate once it becomes an alarm, exercises as well', async () => {
    const feed = await deskWith(() => ({ status: 500 }));
    const at = new Date(clock.now).toISOString();
    const quiet = incident({
      id: 'i9',
      level: 'candidate',
      estimate: estimate({ exercise: true }),
      created_at: at,
      updated_at: at,
    });
    const feeds = (seq: number, subject: Incident) => {
      feed.changes([acted(seq, subject)]);
      flushSync();
    };
    const before = desk.load.inTenMinutes;
    feeds(11, quiet);
    expect(desk.announced).toBe(null);
    expect(desk.load.inTenMinutes).toBe(before);
    feeds(12, { ...quiet, version: 2, level: 'alarm' });
    expect(desk.announced?.id).toBe('i9');
    expect(desk.load.inTenMinutes).toBe(before + 1);
    feeds(13, { ...quiet, version: 3, level: 'alarm' });
    expect(desk.load.inTenMinutes).toBe(before + 1);
  });

  it('shows an action at once and keeps what the server made of it', async () => {
    let seen: Request | undefined;
    let shownMeanwhile = '';
    await deskWith((request) => {
      seen = request;
      shownMeanwhile = desk.operations.shown(selected()).state;
      return {
        status: 200,
        body: incident({ id: 'i1', version: 2, state: 'acknowledged', last_actor: 'ayu' }),
      };
    });
    expect(await desk.act(selected(), 'acknowledge')).toBe(true);
    expect(seen).toMatchObject({
      method: 'POST',
      path: '/api/v1/incidents/i1/actions',
      body: { action: 'acknowledge', version: 1 },
    });
    expect(shownMeanwhile).toBe('acknowledged');
    expect(selected().version).toBe(2);
    expect(desk.operations.pending.size).toBe(0);
  });

  it('keeps what is pressed while an earlier action is being saved', async () => {
    const asked: unknown[] = [];
    await deskWith((request) => {
      const body = request.body as { action: string; version: number };
      asked.push([body.action, body.version]);
      const state = body.action === 'verify' ? 'verified' : 'acknowledged';
      return { status: 200, body: incident({ id: 'i1', version: body.version + 1, state }) };
    });
    const first = desk.act(selected(), 'acknowledge');
    expect(desk.can('acknowledge')).toBe(false);
    expect(desk.can('verify')).toBe(true);
    const second = desk.act(selected(), 'verify');
    expect(await Promise.all([first, second])).toEqual([true, true]);
    expect(asked).toEqual([
      ['acknowledge', 1],
      ['verify', 2],
    ]);
    expect(selected().state).toBe('verified');
  });

  it('drops what was pressed after an action that the server refuses', async () => {
    let asked = 0;
    const current = incident({ id: 'i1', version: 5, state: 'verified', last_actor: 'budi' });
    await deskWith(() => {
      asked += 1;
      return { status: 409, body: { detail: 'changed meanwhile', current } };
    });
    const first = desk.act(selected(), 'acknowledge');
    const second = desk.act(selected(), 'verify');
    expect(await Promise.all([first, second])).toEqual([false, false]);
    expect(asked).toBe(1);
    expect(desk.acting.notice?.kind).toBe('conflict');
  });

  it('shows a conflict with the true state, and undoes what it showed', async () => {
    const current = incident({ id: 'i1', version: 5, state: 'verified', last_actor: 'budi' });
    await deskWith(() => ({ status: 409, body: { detail: 'changed meanwhile', current } }));
    expect(await desk.act(selected(), 'reject', { reason: 'Lampu' })).toBe(false);
    expect(selected().state).toBe('verified');
    expect(desk.acting.notice).toMatchObject({
      kind: 'conflict',
      deed: 'reject',
      incidentId: 'i1',
    });
    expect(desk.acting.notice?.problem.current?.last_actor).toBe('budi');
  });

  it('says that an action was not saved when nobody answers', async () => {
    await deskWith(() => 'unreachable');
    await desk.act(selected(), 'verify');
    expect(desk.operations.shown(selected()).state).toBe('detected');
    expect(desk.acting.notice?.kind).toBe('failed');
    expect(desk.acting.notice?.problem.isUnreachable).toBe(true);
  });

  it('goes back to the sign-in screen when the session is over', async () => {
    await deskWith(() => ({ status: 401, body: { detail: 'sign in' } }));
    await desk.act(selected(), 'verify');
    expect(desk.phase).toBe('signed-out');
    expect(desk.sessionEnded).toBe(true);
    expect(desk.operations.incidents.size).toBe(0);
  });

  it('sends one action at a time for one incident', async () => {
    let sent = 0;
    await deskWith(async () => {
      sent += 1;
      await Promise.resolve();
      return { status: 200, body: incident({ id: 'i1', version: 2, state: 'acknowledged' }) };
    });
    const one = selected();
    const both = await Promise.all([desk.act(one, 'acknowledge'), desk.act(one, 'acknowledge')]);
    expect(both).toEqual([true, false]);
    expect(sent).toBe(1);
  });

  it('goes on from the place of an incident that has left the queue', async () => {
    await deskWith(() => ({
      status: 200,
      body: incident({ id: 'i1', version: 2, state: 'rejected' }),
    }));
    desk.select('i1');
    await desk.act(selected(), 'reject', { reason: 'Lampu' });
    flushSync();
    expect(desk.order).toEqual(['i2']);
    expect(selected().state).toBe('rejected');
    expect(desk.step(1)).toBe('i2');
    expect(desk.operations.incidents.has('i1')).toBe(false);
  });

  it('offers no step that the state forbids', async () => {
    await deskWith(() => ({ status: 500 }));
    expect(desk.can('acknowledge')).toBe(true);
    expect(desk.can('dispatch')).toBe(false);
  });

  it('is not surprised by its own step, taken after a dialog was opened', async () => {
    const versions: unknown[] = [];
    await deskWith(({ body }) => {
      versions.push(body['version']);
      return { status: 200, body: incident({ id: 'i1', version: 5, state: 'verified' }) };
    });
    const looked = selected();
    await desk.act(looked, 'verify');
    await desk.acting.assign(looked, [['damkar', null]]);
    expect(versions).toEqual([1, 5]);
  });
});
