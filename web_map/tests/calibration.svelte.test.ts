import { afterEach, describe, expect, it, vi } from 'vitest';
import { Problem } from '../src/lib/api';
import { CalibrationWork, type CalibrationServer } from '../src/lib/calibration.svelte';
import type { CalibrationPreview, CalibrationRequest } from '../src/lib/types';
import { camera } from './builders';

const AT = { lon: 106.99, lat: -6.24 };

function answer(request: CalibrationRequest, left_out: number | null = null): CalibrationPreview {
  const pose = camera('c').camera.pose;
  if (pose === null) throw new Error('the builder gives a pose');
  return {
    pose,
    residuals_px: request.points.map((_, index) => index + 1),
    left_out,
    warnings: [],
    projected: [],
    field_of_view: null,
  };
}

/** A server whose answers are held until they are let go. */
class Held implements CalibrationServer {
  readonly asked: CalibrationRequest[] = [];
  readonly answers: ((preview: CalibrationPreview | Problem) => void)[] = [];

  previewCalibration(_: string, request: CalibrationRequest): Promise<CalibrationPreview> {
    this.asked.push(request);
    return new Promise((resolve, reject) =>
      this.answers.push((one) => (one instanceof Problem ? reject(one) : resolve(one))),
    );
  }

  storeCalibration(): Promise<never> {
    return Promise.reject(new Problem(409, 'changed meanwhile'));
  }
}

afterEach(() => void vi.useRealTimers());

describe('a calibration at work', () => {
  it('pairs a spot in the picture with one on the map', () => {
    const work = new CalibrationWork(new Held(), camera('c'));
    expect(work.clickMap(AT)).toBe(false);
    work.clickPicture({ u: 10, v: 20 });
    expect(work.waiting).toBe(0);
    work.clickPicture({ u: 30, v: 40 });
    expect(work.pairs).toEqual([{ u: 30, v: 40, at: null }]);
    expect(work.clickMap(AT)).toBe(true);
    expect(work.waiting).toBe(null);
    work.mode = 'horizon';
    work.clickPicture({ u: 5, v: 6 });
    expect(work.request().points).toEqual([{ u: 30, v: 40, ...AT }]);
    expect(work.request().horizon).toEqual([{ u: 5, v: 6 }]);
    work.stop();
  });

  it('asks once for a burst of clicks, and the next time when it has its answer', async () => {
    vi.useFakeTimers();
    const server = new Held();
    const work = new CalibrationWork(server, camera('c'), 50);
    for (const u of [1, 2, 3]) {
      work.clickPicture({ u, v: 1 });
      work.clickMap(AT);
      await vi.advanceTimersByTimeAsync(60);
    }
    expect(server.asked.map((one) => one.points.length)).toEqual([1]);
    server.answers[0]?.(answer(server.asked[0]!));
    await vi.advanceTimersByTimeAsync(1);
    expect(work.asking).toBe(true);
    expect(server.asked.map((one) => one.points.length)).toEqual([1, 3]);
    server.answers[1]?.(answer(server.asked[1]!, 1));
    await vi.advanceTimersByTimeAsync(1);
    expect(work.residuals).toEqual([1, 2, 3]);
    expect(work.leftOut).toBe(1);
    expect(work.asking).toBe(false);
    work.removePair(0);
    expect(work.asking).toBe(true);
    work.stop();
  });

  it('is still asking where something was moved while an answer was on its way', async () => {
    vi.useFakeTimers();
    const server = new Held();
    const work = new CalibrationWork(server, camera('c'), 50);
    work.clickPicture({ u: 1, v: 1 });
    work.clickMap(AT);
    await vi.advanceTimersByTimeAsync(60);
    work.movePair(0, { u: 9 });
    for (const number of [0, 1]) {
      const request = server.asked[number];
      if (!request) throw new Error(`question ${String(number)} was not asked`);
      server.answers[number]?.(answer(request));
      await vi.advanceTimersByTimeAsync(1);
      expect(work.residuals).toEqual([1]);
      expect(work.asking).toBe(number === 0);
      await vi.advanceTimersByTimeAsync(60);
    }
    work.stop();
  });

  it('names the contradicting pair by its own number, though an earlier one waits', async () => {
    const server = new Held();
    const work = new CalibrationWork(server, camera('c'), 10_000);
    for (const u of [1, 2]) {
      work.clickPicture({ u, v: 1 });
      work.clickMap(AT);
    }
    work.movePair(0, { u: 9 });
    const pending = work.ask();
    const request = server.asked[0];
    if (!request) throw new Error('asked');
    server.answers[0]?.(answer(request, 1));
    await pending;
    expect(work.leftOut).toBe(1);
    expect(work.residuals).toEqual([1, 2]);
    work.stop();
  });

  it('says what the server says, and keeps the clicks', async () => {
    const server = new Held();
    const work = new CalibrationWork(server, camera('c'), 10_000);
    work.clickPicture({ u: 1, v: 1 });
    const pending = work.ask();
    server.answers[0]?.(new Problem(422, 'no camera fits these clicks'));
    await pending;
    expect(work.problem?.detail).toBe('no camera fits these clicks');
    expect(await work.store()).toBe(null);
    expect(work.problem?.status).toBe(409);
    expect(work.pairs).toHaveLength(1);
    work.stop();
  });

  it('asks again where nobody answered, and lets nothing be stored that was not seen', async () => {
    vi.useFakeTimers();
    const server = new Held();
    const work = new CalibrationWork(server, camera('c'), 50, 3_000);
    work.clickPicture({ u: 1, v: 1 });
    work.clickMap(AT);
    await vi.advanceTimersByTimeAsync(60);
    server.answers[0]?.(new Problem(0, 'network'));
    await vi.advanceTimersByTimeAsync(1);
    expect(work.problem?.isUnreachable).toBe(true);
    expect(work.asking).toBe(true);
    await vi.advanceTimersByTimeAsync(3_000);
    const request = server.asked[1];
    if (!request) throw new Error('asked again');
    server.answers[1]?.(answer(request));
    await vi.advanceTimersByTimeAsync(1);
    expect(work.problem).toBe(null);
    expect(work.asking).toBe(false);
    work.stop();
  });

  it('keeps the clicks where they were when the picture comes in another size', () => {
    const work = new CalibrationWork(new Held(), camera('c'));
    work.clickPicture({ u: 640, v: 360 });
    work.resize(1920, 1080);
    expect(work.pairs[0]).toEqual({ u: 960, v: 540, at: null });
    work.stop();
  });
});
