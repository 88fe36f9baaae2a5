import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Feed, type FeedHandlers, type FeedSocket } from '../src/lib/feed';
import { acted, incident, snapshot } from './builders';

class Wire implements FeedSocket {
  onopen: FeedSocket['onopen'] = null;
  onmessage: FeedSocket['onmessage'] = null;
  onclose: FeedSocket['onclose'] = null;
  closedByUs = false;
  constructor(readonly url: string) {}
  close() {
    this.closedByUs = true;
  }
  open() {
    this.onopen?.();
  }
  say(message: unknown) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  break(code = 1006) {
    this.onclose?.({ code });
  }
}

const wires: Wire[] = [];
const last = () => wires.at(-1)!;
let told: string[] = [];
let refusals = 0;

function start() {
  const handlers: FeedHandlers = {
    snapshot: (one) => told.push(`snapshot ${one.seq}`),
    changes: (items) => items.forEach((item) => told.push(`change ${item.seq}`)),
    state: (state) => told.push(state),
    heard: () => undefined,
    refused: () => (refusals += 1),
  };
  const feed = new Feed('ws://desk/feed', handlers, {
    open: (url) => {
      wires.push(new Wire(url));
      return last();
    },
    random: () => 1,
  });
  feed.start();
  return feed;
}

const ping = (seq: number) => ({ type: 'ping', seq, at: '2026-11-22T02:00:00Z' });

beforeEach(() => {
  vi.useFakeTimers();
  wires.length = 0;
  told = [];
  refusals = 0;
});
afterEach(() => vi.useRealTimers());

describe('the feed', () => {
  it('starts with a snapshot and follows changes in order', () => {
    start();
    expect(last().url).toBe('ws://desk/feed');
    last().open();
    last().say(snapshot({ seq: 10 }));
    last().say(acted(11, incident()));
    last().say({ type: 'changes', items: [acted(12, incident()), acted(13, incident())] });
    expect(told).toEqual([
      'connecting',
      'snapshot 10',
      'live',
      'change 11',
      'change 12',
      'change 13',
    ]);
  });

  it('resumes after the last change it saw, and skips what it has', () => {
    start();
    last().open();
    last().say(snapshot({ seq: 10 }));
    last().say(acted(11, incident()));
    last().break();
    expect(told.at(-1)).toBe('reconnecting');
    vi.advanceTimersByTime(500);
    expect(last().url).toBe('ws://desk/feed?after=11');
    last().open();
    last().say(acted(11, incident()));
    last().say(acted(12, incident()));
    expect(told.filter((one) => one === 'change 11')).toHaveLength(1);
    expect(told.slice(-2)).toEqual(['live', 'change 12']);
  });

  it('starts over from a snapshot when the chain has a gap', () => {
    start();
    last().open();
    last().say(snapshot({ seq: 10 }));
    const first = last();
    first.say(acted(14, incident(), 13));
    expect(told).not.toContain('change 14');
    expect(first.closedByUs).toBe(true);
    vi.advanceTimersByTime(1);
    expect(last().url).toBe('ws://desk/feed');
  });

  it('takes a chain with holes in its numbers, as a filtered reader sees it', () => {
    start();
    last().open();
    last().say(snapshot({ seq: 10 }));
    last().say(acted(17, incident(), 10));
    expect(told).toContain('change 17');
  });

  it('starts over when two pings tell of a change that never came, and not after one', () => {
    start();
    last().open();
    last().say(snapshot({ seq: 10 }));
    last().say(ping(11));
    expect(wires).toHaveLength(1);
    last().say(ping(11));
    vi.advanceTimersByTime(1);
    expect(wires).toHaveLength(2);
    expect(last().url).toBe('ws://desk/feed');
  });

  it('starts over from a snapshot when its cursor is too old', () => {
    start();
    last().open();
    last().say(snapshot({ seq: 10 }));
    last().break(4410);
    vi.advanceTimersByTime(1);
    expect(last().url).toBe('ws://desk/feed');
  });

  it('comes back at once after having been too slow', () => {
    start();
    last().open();
    last().say(snapshot({ seq: 10 }));
    last().break(1013);
    vi.advanceTimersByTime(1);
    expect(last().url).toBe('ws://desk/feed?after=10');
  });

  it('waits longer each time, and hurries when told to', () => {
    const feed = start();
    last().break();
    expect(refusals).toBe(1);
    vi.advanceTimersByTime(399);
    expect(wires).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(wires).toHaveLength(2);
    last().break();
    vi.advanceTimersByTime(799);
    expect(wires).toHaveLength(2);
    feed.hurry();
    expect(wires).toHaveLength(3);
  });

  it('takes a silent connection for dead', () => {
    start();
    const first = last();
    first.open();
    first.say(snapshot());
    vi.advanceTimersByTime(5_000);
    first.say(ping(10));
    vi.advanceTimersByTime(11_000);
    expect(first.closedByUs).toBe(false);
    vi.advanceTimersByTime(1_500);
    expect(first.closedByUs).toBe(true);
    expect(wires).toHaveLength(2);
  });

  it('waits longer for a large snapshot than for a sign of life', () => {
    start();
    last().open();
    vi.advanceTimersByTime(40_000);
    expect(wires).toHaveLength(1);
    last().say(snapshot());
    vi.advanceTimersByTime(12_500);
    expect(wires).toHaveLength(2);
  });

  it('stays silent after it was stopped', () => {
    const feed = start();
    last().open();
    feed.stop();
    vi.advanceTimersByTime(60_000);
    expect(wires).toHaveLength(1);
    expect(told.at(-1)).toBe('stopped');
  });
});
