// Strings by key; a missing one can't be built, since both dictionaries have one type.

import { en } from './en';
import { id, type Dictionary, type MessageKey } from './id';

export type Language = 'id' | 'en';
export type { MessageKey };

export const dictionaries: Record<Language, Dictionary> = { id, en };

export function isLanguage(value: string): value is Language {
  return value === 'id' || value === 'en';
}

export type Words = Record<string, string | number>;

/** `{count}` is the fact of that name, `{count|camera|cameras}` the word that goes with it. */
export const PLACEHOLDER = /\{(\w+)(?:\|([^|}]*)\|([^|}]*))?\}/g;

export function translate(language: Language, key: MessageKey, words: Words = {}): string {
  return dictionaries[language][key].replace(
    PLACEHOLDER,
    (whole, name: string, one?: string, other?: string) => {
      const fact = words[name];
      if (fact === undefined) return whole;
      if (one === undefined) return String(fact);
      return String((String(fact) === '1' ? one : other) ?? '');
    },
  );
}
