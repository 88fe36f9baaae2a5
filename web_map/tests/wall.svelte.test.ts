import { flushSync } from 'svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Operations } from '../src/lib/operations.svelte';
import { MOST_PLAYERS, Wall } from '../src/lib/wall.svelte';
import { camera, estimate, incident, snapshot } from './builders';

let wall: Wall;
let operations: Operations;
let release: () => void;

beforeEach(() => {
  localStorage.clear();
  operations = new Operations();
  const cameras = Array.from({ length: 20 }, (_, n) => camera(`c${n}`));
  const seen = estimate({ camera_ids: cameras.slice(0, 12).map((one) => one.camera.id) });
  operations.replaceAll(snapshot({ cameras, incidents: [incident({ estimate: seen })] }));
  release = $effect.root(() => void (wall = new Wall(operations)));
});
afterEach(() => release());

const playing = () => wall.shown.filter((_, index) => wall.plays(index)).length;

describe('a video wall', () => {
  it('shows the cameras of active incidents, a page at a time', () => {
    expect(wall.shown).toEqual(['c0', 'c1', 'c2', 'c3']);
    expect(wall.pages).toBe(3);
    wall.turn(1);
    expect(wall.shown[0]).toBe('c4');
  });

  it('never decodes more than it may, and always what is looked at', () => {
    wall.side = 4;
    wall.focus = 9;
    expect(playing()).toBe(MOST_PLAYERS);
    expect(wall.plays(9)).toBe(true);
    for (let n = 0; n < 10; n += 1) wall.relieve();
    expect(playing()).toBe(1);
    expect(wall.plays(9)).toBe(true);
  });

  it('keeps the camera with the keyboard when its size changes', () => {
    wall.move(3);
    wall.move(2);
    expect(wall.focusedId).toBe('c5');
    wall.resize(1);
    flushSync();
    expect(wall.side).toBe(3);
    expect(wall.focusedId).toBe('c5');
    wall.move(100);
    expect(wall.focusedId).toBe('c5');
  });

  it('remembers what was chosen', () => {
    wall.show('chosen');
    expect(wall.shown).toEqual([]);
    wall.choose('c7');
    wall.choose('gone');
    expect(wall.shown).toEqual(['c7']);
    expect(new Wall(operations).chosen).toEqual(['c7', 'gone']);
    localStorage.setItem('siaga.wall', '{broken');
    expect(new Wall(operations).chosen).toEqual([]);
  });

  it('shows what is near the selected incident', () => {
    wall.show('near');
    expect(wall.shown).toEqual([]);
    operations.select('i1');
    expect(wall.shown).toHaveLength(4);
  });
});
