import { beforeEach, describe, expect, it } from 'vitest';
import { Acting } from '../src/lib/acting.svelte';
import { Api, Problem } from '../src/lib/api';
import { readCall } from '../src/lib/callform';
import { CallTaking } from '../src/lib/calltaking.svelte';
import { Joinings } from '../src/lib/joining';
import { Operations } from '../src/lib/operations.svelte';
import { call, estimate, incident, snapshot } from './builders';

type Asked = { method: string; path: string; body: Record<string, unknown>; key: string | null };
let asked: Asked[];
let answers: (one: Asked) => { status: number; body: unknown } | 'unreachable';
let operations: Operations;
let taking: CallTaking;
let api: Api;

beforeEach(() => {
  asked = [];
  const stored = call('k1');
  answers = () => ({ status: 200, body: { ...stored, call: stored, cameras: [] } });
  operations = new Operations();
  api = new Api(async (path, init) => {
    const headers = new Headers(init?.headers);
    const one = {
      method: init?.method ?? 'GET',
      path: path.replace('/api/v1/calls', ''),
      body: JSON.parse(String(init?.body ?? '{}')) as Record<string, unknown>,
      key: headers.get('Idempotency-Key'),
    };
    asked.push(one);
    const answer = answers(one);
    if (answer === 'unreachable') throw new TypeError('network');
    return new Response(JSON.stringify(answer.body), {
      status: answer.status,
      headers: { 'content-type': 'application/json' },
    });
  });
  taking = new CallTaking(api, operations);
});

const save = () => taking.save(readCall(taking.fields).location);
const stored = { status: 200, body: { ...call('k1'), call: call('k1'), cameras: [] } };

describe('a call that is being taken', () => {
  it('is sent again as it was, and then as it has become, where the answer was lost', async () => {
    taking.note = 'smoke';
    taking.place({ lon: 106.99, lat: -6.24 }, 50);
    answers = () => 'unreachable';
    await expect(save()).rejects.toThrow(Problem);
    answers = () => stored;
    taking.hazard = 'fire';
    taking.place({ lon: 107.01, lat: -6.25 }, 50);
    await save();
    const [lost, again, said, located] = asked;
    expect(again).toEqual(lost);
    expect(said).toMatchObject({ method: 'PUT', path: '/k1', body: { hazard: 'fire' } });
    expect(located).toMatchObject({ path: '/k1/fixes', body: { location: { lon: 107.01 } } });
    expect(asked).toHaveLength(4);
  });

  it('is sent whole once it is mended, where the server refused it', async () => {
    taking.place({ lon: 107, lat: 6.24 }, 50);
    answers = () => ({ status: 422, body: { detail: 'too far off' } });
    await expect(save()).rejects.toThrow('too far off');
    answers = () => stored;
    taking.place({ lon: 107, lat: -6.24 }, 50);
    await save();
    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatchObject({ path: '', body: { location: { lat: -6.24 } } });
  });

  it('leaves a phone its position, and adds that of the call taker', async () => {
    const waiting = call('k1', { hazard: null });
    operations.putCall(waiting);
    taking.taken = waiting;
    taking.follow(waiting);
    expect(taking.moved).toBe(false);
    await save();
    expect(asked.map((one) => one.path)).toEqual(['/k1', '/k1/cameras']);
    taking.fields.lat = '-6.2500';
    await save();
    expect(asked.at(-1)).toMatchObject({ path: '/k1/fixes', body: { method: 'manual' } });
  });

  it('keeps what somebody else has written of the same call meanwhile', async () => {
    const waiting = call('k1', { hazard: null });
    operations.putCall(waiting);
    taking.taken = waiting;
    taking.follow(waiting);
    expect(taking.others).toBe(null);
    taking.note = 'two hurt';
    operations.putCall({ ...waiting, hazard: 'crash', note: 'bus and truck', version: 2 });
    expect(taking.others?.note).toBe('bus and truck');
    await save();
    expect(asked[0]?.body).toEqual({ hazard: 'crash', note: 'bus and truck\ntwo hurt' });
  });
});

describe('the incident that a call taker chose for a call', () => {
  it('gets it once fusion has placed it, whoever still looks', async () => {
    operations.replaceAll(snapshot({ incidents: [incident({ id: 'chosen' })] }));
    const acting = new Acting(
      api,
      operations,
      () => undefined,
      () => 'ayu',
    );
    const joinings = new Joinings(operations, acting);
    joinings.wish('k1', 'chosen', 'the same');
    expect(asked).toEqual([]);
    expect(joinings.states.get('k1')).toBe('waiting');
    const body = incident({ id: 'chosen', version: 2, estimate: estimate({ call_ids: ['k1'] }) });
    answers = () => ({ status: 200, body });
    operations.putIncident(incident({ id: 'own', estimate: estimate({ call_ids: ['k1'] }) }));
    await expect.poll(() => joinings.states.get('k1')).toBe('there');
    expect(asked).toMatchObject([
      { path: '/api/v1/incidents/chosen/merge', body: { other_id: 'own' } },
    ]);
  });
});
