import { describe, expect, it } from 'vitest';
import { dictionaries, PLACEHOLDER, translate, type MessageKey } from '../src/i18n';

const keys = Object.keys(dictionaries.id) as MessageKey[];
const placeholders = (text: string) => [
  ...new Set([...text.matchAll(PLACEHOLDER)].map((m) => m[1])),
];

describe('the two languages', () => {
  it('have the same keys', () => {
    expect(Object.keys(dictionaries.en).sort()).toEqual([...keys].sort());
  });

  it.each(keys)('say %s with the same facts, and say something', (key) => {
    expect(dictionaries.id[key].trim()).not.toBe('');
    expect(dictionaries.en[key].trim()).not.toBe('');
    expect(placeholders(dictionaries.en[key]).sort()).toEqual(
      placeholders(dictionaries.id[key]).sort(),
    );
  });

  it('fill in facts and leave an unknown one visible', () => {
    expect(translate('id', 'queue.new', { count: 3 })).toBe('3 baru');
    expect(translate('en', 'queue.new')).toBe('{count} new');
  });

  it('put the word that goes with the number', () => {
    const said = (count: string) => translate('en', 'cams.import.done', { count });
    expect(said('1')).toBe('1 camera was taken over.');
    expect(said('0')).toBe('0 cameras were taken over.');
    expect(said('1,001')).toBe('1,001 cameras were taken over.');
    expect(translate('id', 'top.cameras', { count: '1' })).toBe('1 kamera');
  });
});

describe('the words', () => {
  const files = import.meta.glob<string>(
    ['../src/**/*.ts', '../src/**/*.svelte', '!../src/i18n/**'],
    { query: '?raw', import: 'default', eager: true },
  );
  const source = Object.values(files).join('\n');
  /** Such as `t(\`ex.by.${event.by}\`)`, and `word('hazard', ...)`. */
  const templates = [...source.matchAll(/`([a-z]\w*\.(?:[\w.]*\.)?)\$\{/gi)].map((m) => m[1] ?? '');
  const sets = [...source.matchAll(/word\(\s*'(\w+)'/g)].map((m) => `${m[1]}.`);
  const prefixes = new Set([...templates, ...sets]);

  it.each(keys)('have a use for %s', (key) => {
    const isNamed = source.includes(`'${key}'`) || source.includes(`"${key}"`);
    const isMade = [...prefixes].some((prefix) => key.startsWith(prefix));
    expect(isNamed || isMade, `${key} is in the dictionaries and nowhere else`).toBe(true);
  });
});
