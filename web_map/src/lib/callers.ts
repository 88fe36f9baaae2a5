// A call's positions: all are kept, the newest is drawn.

import type { Call, CallerFix } from './types';

export function latestFix(call: Call): CallerFix | null {
  let latest: CallerFix | null = null;
  for (const fix of call.fixes) {
    if (latest === null || Date.parse(fix.positioned_at) >= Date.parse(latest.positioned_at)) {
      latest = fix;
    }
  }
  return latest;
}
