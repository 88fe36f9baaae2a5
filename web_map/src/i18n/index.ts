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

export function translate(language: Language, key: MessageKey, words: Words = {}): string {
  return dictionaries[language][key].replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in words ? String(words[name]) : whole,
  );
}
