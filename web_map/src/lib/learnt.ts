// Learnt figures in words: what each is of, and its value in its own unit.

import { number, share, t } from './text.svelte';
import type { Hazard } from './types';

const CLUTTER = 'clutter_tracks_per_day/';
const CALLS = 'calls_per_event/';

/** Such as `clutter_tracks_per_day/crash/camera-7`; an unknown one shows as it is. */
export function learntName(name: string, cameraName: (id: string) => string): string {
  if (name === 'existence') return t('learn.existence');
  if (name === 'caller_distance_factor') return t('learn.distance');
  if (name === 'false_calls_per_km2_day') return t('learn.falseCalls');
  if (name.startsWith(CALLS)) {
    return t('learn.calls', { hazard: t(`hazard.${name.slice(CALLS.length) as Hazard}`) });
  }
  if (!name.startsWith(CLUTTER)) return name;
  const [sighting = '', ...camera] = name.slice(CLUTTER.length).split('/');
  return t('learn.clutter', {
    sighting: t(`sighting.${sighting as 'fire' | 'smoke' | 'crash' | 'flood'}`),
    camera: cameraName(camera.join('/')),
  });
}

export function learntValue(name: string, value: readonly number[]): string {
  if (value.length === 0) return '–';
  if (name !== 'existence') return value.map((one) => number(one, one < 1 ? 3 : 2)).join(', ');
  const pairs: string[] = [];
  for (let index = 0; index + 1 < value.length; index += 2) {
    const [from = 0, to = 0] = value.slice(index, index + 2);
    pairs.push(t('learn.existence.pair', { from: share(from), to: share(to) }));
  }
  return pairs.join(' · ');
}
