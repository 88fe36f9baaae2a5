// One key, one verb. Typing is left alone, and so is everything with a modifier.

export interface Verbs {
  next(): void;
  previous(): void;
  map(): void;
  call(): void;
  note(): void;
  picture(): void;
  photos(): void;
  /** Play the best view, the second, and so on. */
  view(place: number): void;
  wall(): void;
  handover(): void;
  sound(): void;
  language(): void;
  theme(): void;
  help(): void;
  escape(): void;
  /** Any other letter: an action on the incident. */
  letter(key: string): void;
}

const LETTERS: Record<string, Exclude<keyof Verbs, 'letter' | 'view'>> = {
  j: 'next',
  k: 'previous',
  m: 'map',
  n: 'call',
  c: 'note',
  p: 'picture',
  i: 'photos',
  w: 'wall',
  h: 'handover',
  s: 'sound',
  l: 'language',
  t: 'theme',
  '?': 'help',
};

/** The map and the fields use arrows themselves. */
function wantsArrows(target: EventTarget | null): boolean {
  return (
    target instanceof Element && target.closest('.maplibregl-map, [role="radiogroup"]') !== null
  );
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLSelectElement) return true;
  return (
    target instanceof HTMLInputElement && !['radio', 'checkbox', 'button'].includes(target.type)
  );
}

/** Returns whether the key meant something, and was used up. */
export function handleKey(event: KeyboardEvent, verbs: Verbs, letters: boolean): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === 'Escape') {
    verbs.escape();
    return true;
  }
  if (isTyping(event.target)) return false;
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    if (wantsArrows(event.target)) return false;
    event.preventDefault();
    if (event.key === 'ArrowDown') verbs.next();
    else verbs.previous();
    return true;
  }
  // A held key must not decide twice.
  if (!letters || event.key.length !== 1 || (event.repeat && !/^[jk]$/i.test(event.key)))
    return false;
  const verb = LETTERS[event.key.toLowerCase()];
  if (verb) {
    event.preventDefault();
    verbs[verb]();
    return true;
  }
  if (/^[1-9]$/.test(event.key)) {
    verbs.view(Number(event.key));
    return true;
  }
  if (!/^[a-z]$/i.test(event.key)) return false;
  verbs.letter(event.key);
  return true;
}
