// Numbers as people read them in each language.

import type { Language } from '../i18n';
import { kept } from './kept';
import type { LonLat } from './types';

const LOCALE: Record<Language, string> = { id: 'id-ID', en: 'en-GB' };

const numberFormat = kept(
  (language: Language, digits: number) =>
    new Intl.NumberFormat(LOCALE[language], {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }),
);

export function number(value: number, language: Language, digits = 0): string {
  return numberFormat(language, digits).format(value);
}

/** Whole per cent; certainty is never claimed. */
export function percent(probability: number, language: Language): string {
  const space = language === 'id' ? '\u202f' : '';
  if (probability > 0.99) return `>\u200a99${space}%`;
  if (probability < 0.01) return `<\u200a1${space}%`;
  return `${Math.round(probability * 100)}${space}%`;
}

/** A share of what was counted: 0 and 100 are claimed where they are so. */
export function share(value: number, language: Language): string {
  return `${number(value * 100, language)}${language === 'id' ? '\u202f' : ''}%`;
}

/** A distance or radius: metres to 1 km in steps that fit its size, then kilometres. */
export function metres(value: number, language: Language): string {
  if (value >= 9_950) return `${number(value / 1000, language)} km`;
  if (value >= 995) return `${number(value / 1000, language, 1)} km`;
  return `${number(value >= 100 ? Math.round(value / 5) * 5 : value, language)} m`;
}

/** +6.1 or −1.8, with a real minus sign. */
export function signed(value: number, language: Language): string {
  const sign = value < 0 ? '\u2212' : '+';
  return sign + number(Math.abs(value), language, 1);
}

export function coordinates(at: LonLat): string {
  return `${at.lat.toFixed(5)}, ${at.lon.toFixed(5)}`.replaceAll('-', '\u2212');
}
