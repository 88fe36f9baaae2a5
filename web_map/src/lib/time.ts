// Times as people read them, in the city's time zone.

import type { Language } from '../i18n';
import { kept } from './kept';

const LOCALE: Record<Language, string> = { id: 'id-ID', en: 'en-GB' };

/** m:ss, h:mm:ss, or days; never negative, since the server's clock may be a moment ahead. */
export function elapsed(sinceIso: string, nowMs: number): string {
  const total = Math.max(0, Math.floor((nowMs - Date.parse(sinceIso)) / 1000));
  const seconds = String(total % 60).padStart(2, '0');
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (hours > 0) return `${hours}:${String(minutes).padStart(2, '0')}:${seconds}`;
  return `${minutes}:${seconds}`;
}

export function between(fromIso: string, toIso: string): string {
  return elapsed(fromIso, Date.parse(toIso));
}

const clockFormat = kept(
  (language: Language, timeZone: string) =>
    new Intl.DateTimeFormat(LOCALE[language], {
      timeZone,
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    }),
);
const dayFormat = kept(
  (language: Language, timeZone: string) =>
    new Intl.DateTimeFormat(LOCALE[language], { timeZone, dateStyle: 'medium' }),
);
const zoneFormat = kept(
  (timeZone: string) => new Intl.DateTimeFormat('id-ID', { timeZone, timeZoneName: 'short' }),
);

export function wallTime(at: string | number, language: Language, timeZone: string): string {
  return clockFormat(language, timeZone).format(new Date(at));
}

export function wallMoment(at: string, language: Language, timeZone: string): string {
  return `${wallDay(at, language, timeZone)} ${wallTime(at, language, timeZone)}`;
}

export function wallDay(at: string, language: Language, timeZone: string): string {
  return dayFormat(language, timeZone).format(new Date(at));
}

/** Seconds under a minute, then as a clock; nothing where it isn't known. */
export function duration(seconds: number | null): string {
  if (seconds === null) return '';
  if (seconds < 60) return `${Math.round(seconds)} s`;
  return between(new Date(0).toISOString(), new Date(seconds * 1000).toISOString());
}

/** WIB, WITA or WIT where the zone is Indonesian; an offset such as GMT+2 elsewhere. */
export function zoneName(timeZone: string, at: number): string {
  const parts = zoneFormat(timeZone).formatToParts(at);
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? timeZone;
}
