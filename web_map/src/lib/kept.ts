// What takes long to make and is made of few words, made once: a format of `Intl` takes a hundred
// times as long to make as to use, and every card and every second uses some.

/** `make`, which remembers what it has made of the same words. */
export function kept<Words extends readonly (string | number)[], Made>(
  make: (...words: Words) => Made,
): (...words: Words) => Made {
  const known = new Map<string, Made>();
  return (...words) => {
    const key = words.join('|');
    const made = known.get(key) ?? make(...words);
    known.set(key, made);
    return made;
  };
}
