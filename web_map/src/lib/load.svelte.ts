// The alarm load of ISA-18.2: alarms per operator and ten minutes, over the last hour. What counts is
// when this desk was given an alarm, exercises as well: a candidate counts once it becomes one. Of
// alarms that stood before the desk looked, only their incident's beginning is known.

import { SvelteMap } from 'svelte/reactivity';
import { clock } from './clock.svelte';
import type { Incident } from './types';

const BUCKET_MS = 5 * 60_000;
const BUCKETS = 12;

export class AlarmLoad {
  private readonly times = new SvelteMap<string, number>();

  /** An incident that has just become an alarm. */
  note(incident: Incident): void {
    this.times.set(incident.id, Date.parse(incident.updated_at));
  }

  /** What stands when the desk begins to look, or looks again. */
  noteStanding(incidents: readonly Incident[]): void {
    for (const { id, level, created_at } of incidents) {
      if (level === 'alarm' && !this.times.has(id)) this.times.set(id, Date.parse(created_at));
    }
  }

  /** Alarms of the last ten minutes, in steps of ten seconds. */
  get inTenMinutes(): number {
    const from = Math.floor(clock.now / 10_000) * 10_000 - 2 * BUCKET_MS;
    let found = 0;
    for (const at of this.times.values()) found += Number(at >= from);
    return found;
  }

  /** Alarms in each five minutes of the last hour, oldest first. */
  buckets(now: number): number[] {
    const found = new Array<number>(BUCKETS).fill(0);
    for (const at of this.times.values()) {
      const index = BUCKETS - 1 - Math.floor((now - at) / BUCKET_MS);
      if (index >= 0 && index < BUCKETS) found[index]! += 1;
    }
    return found;
  }

  forgetBefore(time: number): void {
    for (const [id, at] of [...this.times]) if (at < time) this.times.delete(id);
  }
}
