// A camera's states as spans of time, for a bar and a list that say the same.

import type { CameraState, HealthEntry } from './types';

export interface Span {
  state: CameraState;
  from: number;
  to: number;
  detail: string;
  /** Of the whole bar. */
  share: number;
}

/** From entries newest first; the last span lasts until now. The oldest first. */
export function spansOf(entries: readonly HealthEntry[], now: number): Span[] {
  const oldestFirst = [...entries].reverse();
  const begin = oldestFirst[0] ? Date.parse(oldestFirst[0].subject.since) : now;
  const whole = Math.max(1, now - begin);
  return oldestFirst
    .map(({ subject }, index) => {
      const next = oldestFirst[index + 1];
      const from = Date.parse(subject.since);
      const to = next ? Date.parse(next.subject.since) : now;
      const { state, detail } = subject;
      return { state, from, to, detail, share: Math.max(0, to - from) / whole };
    })
    .filter((span) => span.to > span.from);
}

export function liveShare(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + (span.state === 'live' ? span.share : 0), 0);
}
