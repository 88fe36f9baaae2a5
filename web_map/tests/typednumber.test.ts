import { describe, expect, it } from 'vitest';
import { numberOf } from '../src/lib/typednumber';

describe('a typed number', () => {
  it.each([
    ['8,5', 8.5],
    ['-6.2383', -6.2383],
    [' \u22126,2383 ', -6.2383],
    ['.5', 0.5],
    ['0', 0],
    ['1e2', 100],
  ])('is read as it was meant: %s', (text, value) => {
    expect(numberOf(text)).toBe(value);
  });

  it.each(['', '-', '8,5,1', '-6.2383, 106.992', 'delapan', '1e999', '0x10', 'NaN'])(
    'is none where it is none: %s',
    (text) => {
      expect(numberOf(text)).toBe(null);
    },
  );
});
