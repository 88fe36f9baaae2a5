import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SavedCameras } from '../src/lib/savedcameras';
import type { CameraView } from '../src/lib/types';
import { camera } from './builders';

const SEEN = { ground: null } as unknown as CameraView['field_of_view'];

/** What was asked for, while so many cameras are saved at once. */
async function saved(count: number, age = 0) {
  const views = Array.from({ length: count }, (_, number) => camera(`c-${number}`));
  const known = new Map(views.map((view) => [view.camera.id, view]));
  const answer = (view: CameraView) => ({
    ...view,
    camera: {
      ...view.camera,
      name: 'an older name',
      pose: view.camera.pose && { ...view.camera.pose, bearing_deg: 90 + age },
    },
    field_of_view: SEEN,
  });
  const asked: string[] = [];
  const cameras = new SavedCameras(
    {
      all: () => (asked.push('all'), Promise.resolve(views.map(answer))),
      get: (id) => (asked.push(id), Promise.resolve(answer(known.get(id)!))),
    },
    known,
    (view) => known.set(view.camera.id, view),
  );
  for (const view of views) cameras.note(view.camera.id);
  await vi.advanceTimersByTimeAsync(1_000);
  return { asked, seen: [...known.values()] };
}

describe('cameras that were saved', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are asked for one by one where they are few', async () => {
    const { asked, seen } = await saved(2);
    expect(asked).toEqual(['c-0', 'c-1']);
    expect(seen.every((view) => view.field_of_view === SEEN)).toBe(true);
  });

  it('are asked for at once where a register was taken over', async () => {
    const { asked, seen } = await saved(3_000);
    expect(asked).toEqual(['all']);
    expect(seen.every((view) => view.field_of_view === SEEN)).toBe(true);
  });

  it('stay as the feed has told of them since, whatever an older answer says', async () => {
    const { seen } = await saved(1, 1);
    expect(seen[0]?.camera.name).not.toBe('an older name');
    expect(seen[0]?.field_of_view).not.toBe(SEEN);
  });
});
