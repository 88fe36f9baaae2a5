import { fireEvent, render, screen } from '@testing-library/svelte';
import { flushSync } from 'svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import IncidentPanel from '../src/components/IncidentPanel.svelte';
import Notes from '../src/components/Notes.svelte';
import { Api } from '../src/lib/api';
import { clock } from '../src/lib/clock.svelte';
import { Desk } from '../src/lib/desk.svelte';
import { Feed, type FeedHandlers } from '../src/lib/feed';
import type { Incident } from '../src/lib/types';
import { acted, assignment, estimate, incident, snapshot } from './builders';

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
const notice = () => desk.acting.standing.find((one) => one.incident.id === selected().id);

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
    expect(notice()?.kind).toBe('conflict');
  });

  it('shows a conflict with the true state, and undoes what it showed', async () => {
    const current = incident({ id: 'i1', version: 5, state: 'verified', last_actor: 'budi' });
    await deskWith(() => ({ status: 409, body: { detail: 'changed meanwhile', current } }));
    expect(await desk.act(selected(), 'reject', { reason: 'Lampu' })).toBe(false);
    expect(selected().state).toBe('verified');
    expect(notice()).toMatchObject({ kind: 'conflict', deed: 'reject' });
    expect(notice()?.problem.current?.last_actor).toBe('budi');
  });

  it('says that an action was not saved when nobody answers', async () => {
    await deskWith(() => 'unreachable');
    await desk.act(selected(), 'verify');
    expect(desk.operations.shown(selected()).state).toBe('detected');
    expect(notice()?.kind).toBe('failed');
    expect(notice()?.problem.isUnreachable).toBe(true);
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

  it('tells what was not saved of an incident that nobody looks at any more', async () => {
    let answer: Answer = 'unreachable';
    await deskWith(() => answer);
    const saving = desk.act(selected(), 'verify');
    desk.select('i2');
    await saving;
    const [told] = desk.acting.standing;
    expect(told).toMatchObject({ kind: 'failed', deed: 'verify', incident: { id: 'i1' } });
    desk.select('i1');
    desk.select('i2');
    expect(desk.acting.standing).toHaveLength(1);
    answer = { status: 200, body: incident({ id: 'i1', version: 2, state: 'verified' }) };
    told?.retry?.();
    expect(desk.acting.standing).toHaveLength(0);
  });

  it('knows its own step again whose answer was lost, by the feed and when tried again', async () => {
    const done = incident({ id: 'i1', version: 2, state: 'verified', last_actor: 'ayu' });
    let answer: Answer = 'unreachable';
    const feed = await deskWith(() => answer);
    const looked = selected();
    await desk.act(looked, 'verify');
    answer = { status: 409, body: { detail: 'changed meanwhile', current: done } };
    expect(await desk.acting.act(looked, 'verify')).toBe(true);
    expect(desk.acting.standing).toHaveLength(0);

    answer = 'unreachable';
    await desk.act(selected(), 'close');
    expect(desk.acting.standing).toHaveLength(1);
    feed.changes([acted(11, { ...done, version: 3, state: 'closed' })]);
    expect(desk.acting.standing).toHaveLength(0);
  });

  it('sends nobody twice when sending is tried again', async () => {
    const sent: unknown[] = [];
    let line: 'up' | 'cut' = 'cut';
    const feed = await deskWith(({ body }) => {
      sent.push(body['agency_id']);
      if (line === 'cut') return 'unreachable';
      return { status: 200, body: { ...dispatched, version: 3 } };
    });
    const dispatched = incident({
      id: 'i1',
      version: 2,
      state: 'dispatched',
      last_actor: 'ayu',
      assignments: [assignment({ agency_id: 'damkar' })],
    });
    const both: [string, string | null][] = [
      ['damkar', null],
      ['police', null],
    ];
    await desk.acting.assign(selected(), both);
    // The first was stored, and its answer lost.
    feed.changes([acted(11, dispatched)]);
    expect(desk.acting.standing).toHaveLength(1);
    line = 'up';
    notice()?.retry?.();
    await vi.waitFor(() => expect(desk.operations.pending.size).toBe(0));
    expect(sent).toEqual(['damkar', 'police']);
  });

  it('learns how the selected incident ended while it was away', async () => {
    const ended = incident({ id: 'i1', version: 7, state: 'closed', last_actor: 'budi' });
    const feed = await deskWith(({ method, path }) =>
      method === 'GET' && path.endsWith('/incidents/i1')
        ? { status: 200, body: ended }
        : { status: 500 },
    );
    feed.snapshot(snapshot({ incidents: [incident({ id: 'i2', priority: 2 })] }));
    await vi.waitFor(() => expect(selected().state).toBe('closed'));
    expect(desk.queue.active.map((one) => one.id)).toEqual(['i2']);
  });

  it('leads back to an incident that has left the queue, for its last step to be undone', async () => {
    const rejected = incident({ id: 'i1', version: 2, state: 'rejected', last_actor: 'ayu' });
    let answer: Answer = { status: 200, body: rejected };
    await deskWith(() => answer);
    await desk.act(selected(), 'reject', { reason: 'Lampu' });
    desk.select('i2');
    expect(desk.operations.incidents.has('i1')).toBe(false);
    // A step on another one since doesn't hide it.
    const other = incident({ id: 'i2', version: 2, state: 'acknowledged', priority: 2 });
    answer = { status: 200, body: other };
    await desk.act(selected(), 'acknowledge');
    desk.select(null);
    expect(desk.acting.undoable(null)?.incidentId).toBe('i2');
    answer = { status: 200, body: rejected };
    await desk.revisit(desk.acting.undoable('i1')!.incidentId);
    expect(selected()).toMatchObject({ id: 'i1', state: 'rejected' });
  });

  it('keeps a note that was begun, for who began it', async () => {
    await deskWith(() => ({ status: 500 }));
    const props = { desk, incident: selected() };
    const first = render(Notes, props);
    await fireEvent.input(screen.getByTestId('note-text'), { target: { value: 'two hurt' } });
    first.unmount();
    const again = render(Notes, props);
    expect(screen.getByTestId<HTMLInputElement>('note-text').value).toBe('two hurt');
    again.unmount();
    await desk.signOut();
    expect(desk.drafts.size).toBe(0);
  });

  it('offers nothing to decide to who only looks', async () => {
    await deskWith(() => ({ status: 500 }));
    const props = {
      desk,
      enlarged: false,
      onaction: () => undefined,
      ondeed: () => undefined,
      onshow: () => undefined,
      oncamera: () => undefined,
    };
    const offered = () =>
      ['action-verify', 'deed-merge', 'note-text', 'photo-add'].filter((one) =>
        screen.queryByTestId(one),
      );
    const shown = render(IncidentPanel, props);
    expect(offered()).toHaveLength(4);
    desk.user = { ...USER, role: 'viewer' };
    flushSync();
    expect(offered()).toEqual([]);
    shown.unmount();
  });

  it('mutes nobody who signs in later', async () => {
    await deskWith(() => ({ status: 500 }));
    desk.sound.toggleMuted();
    await desk.signOut();
    await desk.signIn('budi', 'secret');
    expect(desk.sound.muted).toBe(false);
  });
});
