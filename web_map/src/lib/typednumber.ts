// Numbers as people type and paste them.

/**
 * The number, or null where it is none (yet). A browser's own number field drops the decimal comma
 * where its language isn't the typist's, and makes 85 of 8,5.
 */
export function numberOf(text: string): number | null {
  const plain = text.trim().replace(',', '.').replace('\u2212', '-');
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return null;
  const value = Number(plain);
  return Number.isFinite(value) ? value : null;
}
