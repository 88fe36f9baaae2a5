import { describe, expect, it } from 'vitest';
import { buildQueue, loudest, neighbour } from '../src/lib/queue';
import type { Incident } from '../src/lib/types';
import { estimate, incident } from './builders';

const at = (second: number) => `2026-11-22T02:00:${String(second).padStart(2, '0')}Z`;

describe('the queue', () => {
  it('puts priority first, then what nobody has seen, then the oldest', () => {
    const queue = buildQueue([
      incident({ id: 'late', priority: 2, created_at: at(9) }),
      incident({ id: 'seen', priority: 1, state: 'acknowledged', created_at: at(1) }),
      incident({ id: 'early', priority: 2, created_at: at(2) }),
      incident({ id: 'new', priority: 1, created_at: at(8) }),
    ]);
    expect(queue.active.map((one) => one.id)).toEqual(['new', 'seen', 'early', 'late']);
    expect(queue.unseen).toBe(3);
  });

  it('keeps candidates apart, the likeliest first, and signals and the ended out', () => {
    const queue = buildQueue([
      incident({ id: 'weak', level: 'candidate', estimate: estimate({ probability: 0.3 }) }),
      incident({ id: 'strong', level: 'candidate', estimate: estimate({ probability: 0.5 }) }),
      incident({ id: 'signal', level: 'signal' }),
      incident({ id: 'gone', state: 'rejected' }),
    ]);
    expect(queue.active).toEqual([]);
    expect(queue.candidates.map((one) => one.id)).toEqual(['strong', 'weak']);
    expect(queue.unseen).toBe(0);
  });

  it('holds what a person took up, however unsure the machine is', () => {
    const taken = incident({ level: 'candidate', state: 'verified' });
    expect(buildQueue([taken]).active).toEqual([taken]);
  });

  it('steps through and stops at the ends', () => {
    const ids = ['a', 'b', 'c'];
    expect(neighbour(ids, null, 1)).toBe('a');
    expect(neighbour(ids, null, -1)).toBe('c');
    expect(neighbour(ids, 'b', 1)).toBe('c');
    expect(neighbour(ids, 'c', 1)).toBe('c');
    expect(neighbour(ids, 'a', -1)).toBe('a');
    expect(neighbour([], 'a', 1)).toBeNull();
  });
});

describe('the alarm that sounds', () => {
  it('is the next one while the most urgent is being answered', () => {
    const active = [
      incident({ id: 'first' }),
      incident({ id: 'second', priority: 2 }),
      incident({ id: 'seen', state: 'acknowledged' }),
    ];
    const nothing = (one: Incident) => one;
    expect(loudest(active, nothing)?.id).toBe('first');
    const answering = (one: Incident): Incident =>
      one.id === 'first' ? { ...one, state: 'acknowledged' } : one;
    expect(loudest(active, answering)?.id).toBe('second');
    expect(loudest(active.slice(2), nothing)).toBe(null);
  });
});
