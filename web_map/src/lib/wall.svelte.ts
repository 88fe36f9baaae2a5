// The video wall: which cameras, in how many tiles, and which of them are played.
//
// Decoding is bounded: the tile with the keyboard and the first ones play, the others show a
// picture every few seconds. A browser that falls behind gets fewer players by itself.

import { distanceM } from './geodesy';
import { isOpen } from './lifecycle';
import type { Operations } from './operations.svelte';
import { isActive } from './queue';
import type { LonLat } from './types';

export const WALL_SOURCES = ['hot', 'near', 'chosen'] as const;
export type WallSource = (typeof WALL_SOURCES)[number];

/** Tiles a side. */
export const SIDES = [1, 2, 3, 4] as const;
export type Side = (typeof SIDES)[number];

/** Players at once: what two cores decode in software beside all else. */
export const MOST_PLAYERS = 4;
const KEPT = 'siaga.wall';

export class Wall {
  source = $state<WallSource>('hot');
  side = $state<Side>(2);
  page = $state(0);
  /** Which tile of the page has the keyboard. */
  focus = $state(0);
  enlarged = $state(false);
  chosen = $state<string[]>(remembered());
  /** Players that this browser keeps up with. */
  players = $state(MOST_PLAYERS);

  readonly all = $derived.by(() => this.cameras());
  readonly perPage = $derived(this.side * this.side);
  readonly pages = $derived(Math.max(1, Math.ceil(this.all.length / this.perPage)));
  private readonly firstOfPage = $derived(Math.min(this.page, this.pages - 1) * this.perPage);
  readonly shown = $derived(
    this.enlarged
      ? this.all.slice(this.at, this.at + 1)
      : this.all.slice(this.firstOfPage, this.firstOfPage + this.perPage),
  );

  constructor(private readonly operations: Operations) {}

  /** Where the focused camera stands among all. */
  private get at(): number {
    return Math.min(this.firstOfPage + this.focus, Math.max(0, this.all.length - 1));
  }

  get focusedId(): string | null {
    return this.all[this.at] ?? null;
  }

  /** Whether a tile of the page is played, or shows pictures. */
  plays(index: number): boolean {
    if (this.enlarged || index === this.focus) return true;
    const before = this.focus < this.players ? index : index + 1;
    return before < this.players;
  }

  /** One less: this browser doesn't keep up. */
  relieve(): void {
    this.players = Math.max(1, this.players - 1);
  }

  show(source: WallSource): void {
    this.source = source;
    this.page = this.focus = 0;
    this.enlarged = false;
    this.players = MOST_PLAYERS;
  }

  resize(by: 1 | -1): void {
    const next = SIDES[SIDES.indexOf(this.side) + by];
    if (next === undefined) return;
    const { at } = this;
    this.side = next;
    this.page = Math.floor(at / this.perPage);
    this.focus = at % this.perPage;
  }

  /** Move the keyboard; over the edge of a page to the next one. */
  move(by: number): void {
    const to = this.at + by;
    if (to < 0 || to >= this.all.length) return;
    this.page = Math.floor(to / this.perPage);
    this.focus = to % this.perPage;
  }

  turn(by: 1 | -1): void {
    this.page = Math.min(this.pages - 1, Math.max(0, this.page + by));
    this.focus = Math.min(this.focus, Math.max(0, this.shown.length - 1));
  }

  /** Choose a camera for this wall, or leave it out again. */
  choose(id: string): void {
    this.chosen = this.chosen.includes(id)
      ? this.chosen.filter((one) => one !== id)
      : [...this.chosen, id];
    localStorage.setItem(KEPT, JSON.stringify(this.chosen));
  }

  private cameras(): string[] {
    const { operations } = this;
    const known = (ids: Iterable<string>) => [
      ...new Set([...ids].filter((id) => operations.cameras.get(id)?.camera.enabled)),
    ];
    if (this.source === 'chosen') return known(this.chosen);
    if (this.source === 'near') {
      const at = operations.selected?.estimate.location;
      return at
        ? known([...(operations.selected?.best_camera_ids ?? []), ...this.nearest(at)])
        : [];
    }
    const active = [...operations.incidents.values()]
      .filter((one) => isOpen(one.state) && isActive(one))
      .sort((a, b) => a.priority - b.priority || b.created_at.localeCompare(a.created_at));
    return known(
      active.flatMap((one) => [...one.estimate.camera_ids, ...one.best_camera_ids.slice(0, 2)]),
    );
  }

  private nearest(at: LonLat): string[] {
    return [...this.operations.cameras.values()]
      .filter((view) => view.camera.enabled)
      .map((view) => ({ id: view.camera.id, m: distanceM(view.camera.position, at) }))
      .sort((a, b) => a.m - b.m)
      .slice(0, 32)
      .map((one) => one.id);
  }
}

function remembered(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEPT) ?? '[]');
    return Array.isArray(kept) ? kept.filter((one) => typeof one === 'string') : [];
  } catch {
    // Somebody else has written there; the wall begins empty.
    return [];
  }
}
