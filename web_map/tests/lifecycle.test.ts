import { describe, expect, it } from 'vitest';
import {
  ACTION_KEYS,
  actionForKey,
  expectedState,
  isOffered,
  isOpen,
  lifeSteps,
  needsReason,
  offeredActions,
} from '../src/lib/lifecycle';
import type { IncidentState } from '../src/lib/types';
import { incident } from './builders';

const STATES: IncidentState[] = [
  'detected',
  'acknowledged',
  'verified',
  'dispatched',
  'en_route',
  'on_scene',
  'closed',
  'rejected',
  'duplicate',
  'cancelled',
];

describe('the life cycle', () => {
  it.each(STATES)('offers in %s at least one step, each with a key of its own', (state) => {
    const actions = offeredActions(state);
    expect(actions.length).toBeGreaterThan(0);
    const keys = actions.map((action) => ACTION_KEYS[action]);
    expect(new Set(keys).size).toBe(actions.length);
    expect(keys).not.toContain(undefined);
  });

  it('expects acknowledging first, then verifying, then dispatching', () => {
    expect(offeredActions('detected')[0]).toBe('acknowledge');
    expect(offeredActions('acknowledged')[0]).toBe('verify');
    expect(offeredActions('verified')[0]).toBe('dispatch');
  });

  it('takes keys in either case and knows no others', () => {
    expect(actionForKey('a')).toBe('acknowledge');
    expect(actionForKey('V')).toBe('verify');
    expect(actionForKey('q')).toBeNull();
  });

  it('leaves the keys of the desk alone', () => {
    const desk = ['J', 'K', 'M', 'N', 'C', 'P', 'S', 'L', 'T', '?'];
    expect(Object.values(ACTION_KEYS).filter((key) => desk.includes(key))).toEqual([]);
  });

  it('asks why before rejecting, cancelling and reopening', () => {
    expect(['reject', 'cancel', 'reopen'].every((one) => needsReason(one as never))).toBe(true);
    expect(needsReason('verify')).toBe(false);
  });

  it('never offers what is over', () => {
    for (const state of STATES.filter((one) => !isOpen(one))) {
      expect(offeredActions(state)).toEqual(['reopen']);
      expect(isOffered(state, 'verify')).toBe(false);
    }
  });

  it('expects no change from a note', () => {
    expect(expectedState('note', 'verified')).toBe('verified');
  });

  it('does not show a rejected incident as having been verified', () => {
    const steps = lifeSteps(
      incident({
        state: 'rejected',
        acknowledged_at: '2026-11-22T02:00:20Z',
        closed_at: '2026-11-22T02:00:40Z',
      }),
    );
    expect(steps.map(({ step, phase }) => `${step} ${phase}`)).toEqual([
      'detected done',
      'acknowledged done',
      'verified open',
      'dispatched open',
      'ended now',
    ]);
  });
});
