import { describe, expect, it } from 'vitest';
import {
  alone,
  FLOOD_ABOVE,
  FLOOD_UNTIL,
  gather,
  isFlood,
  isStale,
  keepSame,
  STALE_MS,
} from '../src/lib/burden';
import { summaryOf } from '../src/lib/handover';
import { estimate, incident } from './builders';

const flood = (id: string, over = {}) =>
  incident({
    id,
    priority: 3,
    place_name: 'Margahayu',
    estimate: estimate({ hazard: 'flood' }),
    ...over,
  });

describe('a flood', () => {
  it('begins above ten alarms and is over under five, without flickering between', () => {
    expect(isFlood(FLOOD_ABOVE, false)).toBe(false);
    expect(isFlood(FLOOD_ABOVE + 1, false)).toBe(true);
    expect(isFlood(FLOOD_ABOVE - 1, true)).toBe(true);
    expect(isFlood(FLOOD_UNTIL - 1, true)).toBe(false);
  });

  it('gathers unseen alarms of one kind and place, and hides nothing urgent or in work', () => {
    const queue = [
      incident({ id: 'fire1' }),
      incident({ id: 'fire2' }),
      flood('a'),
      flood('b'),
      flood('worked', { state: 'acknowledged' }),
      flood('elsewhere', { place_name: 'Jakasetia' }),
    ];
    const groups = gather(queue).map(({ first, rest }) => [first.id, rest.map((one) => one.id)]);
    expect(groups).toEqual([
      ['fire1', []],
      ['fire2', []],
      ['a', ['b']],
      ['worked', []],
      ['elsewhere', []],
    ]);
  });

  it('leaves the groups that nothing has happened to as they are, so that one is drawn anew', () => {
    const queue = [incident({ id: 'fire1' }), flood('a'), flood('b'), flood('c')];
    const before = gather(queue);
    const changed = queue.map((one) => (one.id === 'c' ? { ...one, version: 2 } : one));
    const [fire, floods] = keepSame(gather(changed), before);
    expect(fire).toBe(before[0]);
    expect(floods).not.toBe(before[1]);
    expect(floods!.rest.map((one) => one.version)).toEqual([1, 2]);
    expect(keepSame(alone(queue), before)[0]).toBe(before[0]);
    expect(keepSame(gather(changed.slice(1)), before)[0]!.rest).toHaveLength(2);
  });

  it('loses none', () => {
    const queue = Array.from({ length: 30 }, (_, n) => flood(`f${n}`));
    const all = gather(queue).flatMap(({ first, rest }) => [first, ...rest]);
    expect(all.map((one) => one.id)).toEqual(queue.map((one) => one.id));
  });
});

it('calls what stands for more than a day stale', () => {
  const one = incident();
  const since = Date.parse(one.created_at);
  expect(isStale(one, since + STALE_MS)).toBe(false);
  expect(isStale(one, since + STALE_MS + 1)).toBe(true);
});

it('counts what is open for the next shift, the most urgent first', () => {
  const summary = summaryOf([flood('a'), flood('b', { state: 'verified' }), incident()]);
  expect(summary).toEqual([
    { priority: 1, hazard: 'fire', count: 1, states: [['detected', 1]] },
    {
      priority: 3,
      hazard: 'flood',
      count: 2,
      states: [
        ['detected', 1],
        ['verified', 1],
      ],
    },
  ]);
});
