import { afterEach, describe, expect, it } from 'vitest';
import { handleKey, type Verbs } from '../src/lib/keys';

let done: string[] = [];
const verb = (name: string) => () => void done.push(name);
const verbs: Verbs = {
  next: verb('next'),
  previous: verb('previous'),
  map: verb('map'),
  call: verb('call'),
  note: verb('note'),
  picture: verb('picture'),
  photos: verb('photos'),
  view: (place) => void done.push(`view ${place}`),
  wall: verb('wall'),
  handover: verb('handover'),
  sound: verb('sound'),
  language: verb('language'),
  theme: verb('theme'),
  help: verb('help'),
  escape: verb('escape'),
  letter: (key) => void done.push(`letter ${key}`),
};

function press(
  key: string,
  init: KeyboardEventInit = {},
  target: HTMLElement = document.createElement('p'),
  letters = true,
) {
  document.body.append(target);
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...init });
  target.addEventListener('keydown', (one) => handleKey(one, verbs, letters), { once: true });
  target.dispatchEvent(event);
}

afterEach(() => {
  done = [];
  document.body.replaceChildren();
});

describe('keys', () => {
  it('go through the queue by letter and by arrow', () => {
    for (const key of ['j', 'K', 'ArrowDown', 'ArrowUp']) press(key);
    expect(done).toEqual(['next', 'previous', 'next', 'previous']);
  });

  it('hand actions on', () => {
    press('v');
    expect(done).toEqual(['letter v']);
  });

  it('leave typing alone', () => {
    press('v', {}, document.createElement('textarea'));
    press('r', {}, document.createElement('input'));
    expect(done).toEqual([]);
  });

  it('leave the browser\u2019s own shortcuts alone', () => {
    press('r', { ctrlKey: true });
    press('l', { metaKey: true });
    expect(done).toEqual([]);
  });

  it('don\u2019t decide twice while a key is held', () => {
    press('a', { repeat: true });
    press('j', { repeat: true });
    expect(done).toEqual(['next']);
  });

  it('can be turned off, all but arrows and Escape', () => {
    for (const key of ['a', 'n', '?', 'ArrowDown', 'Escape'])
      press(key, {}, document.createElement('p'), false);
    expect(done).toEqual(['next', 'escape']);
  });

  it('let the map pan by its own arrows', () => {
    const map = document.createElement('div');
    map.className = 'maplibregl-map';
    press('ArrowDown', {}, map);
    expect(done).toEqual([]);
  });
});
