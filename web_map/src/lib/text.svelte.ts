// The words and numbers of the chosen language and the city's time zone, for components.

import { dictionaries, translate, type MessageKey, type Words } from '../i18n';
import { clock } from './clock.svelte';
import * as format from './format';
import { preferences } from './preferences.svelte';
import { wallDay, wallMoment, wallTime } from './time';
import type { LonLat } from './types';

let timeZone = $state('Asia/Jakarta');

export function setTimeZone(zone: string): void {
  timeZone = zone;
}

export function cityTimeZone(): string {
  return timeZone;
}

export function t(key: MessageKey, words?: Words): string {
  return translate(preferences.language, key, words);
}

/** A word of a closed set that a newer server may have enlarged: unknown members show as they are. */
export function word(
  set:
    | 'hazard'
    | 'sighting'
    | 'state'
    | 'camera'
    | 'method'
    | 'step'
    | 'conditions'
    | 'role'
    | 'assignment',
  member: string,
) {
  const key = `${set}.${member}`;
  return key in dictionaries.id ? t(key as MessageKey) : member;
}

export const number = (value: number, digits = 0) =>
  format.number(value, preferences.language, digits);
export const percent = (value: number) => format.percent(value, preferences.language);
export const metres = (value: number) => format.metres(value, preferences.language);
export const signed = (value: number) => format.signed(value, preferences.language);
export const coordinates = (at: LonLat) => format.coordinates(at);
export const share = (value: number) => format.share(value, preferences.language);
export const moment = (time: string) => wallMoment(time, preferences.language, timeZone);
export const day = (time: string) => wallDay(time, preferences.language, timeZone);
export const at = (time: string | number) => wallTime(time, preferences.language, timeZone);
/** The time alone where it is today's. */
export const when = (time: string) =>
  day(time) === day(new Date(clock.minute).toISOString()) ? at(time) : moment(time);

/** Where an incident is, in words. */
export function placeOf({ street, place_name }: { street: string; place_name: string }): string {
  return [street, place_name].filter(Boolean).join(' · ') || t('place.unknown');
}
