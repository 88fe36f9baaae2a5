import { describe, expect, it } from 'vitest';
import { draftOf, fieldsOf, rebased } from '../src/lib/cameraform';
import { inOrder, matches } from '../src/lib/cameralist';
import { hashOf, placeOf } from '../src/lib/route.svelte';
import type { CameraView, PtzHead } from '../src/lib/types';
import { camera } from './builders';

function named(name: string, state: 'live' | 'stalled', enabled = true): CameraView {
  const view = camera(name);
  return {
    ...view,
    camera: { ...view.camera, name, enabled },
    health: { camera_id: name, state, since: '2026-11-22T00:00:00Z', detail: '' },
  };
}

describe('the list of cameras', () => {
  it('has sick ones first, then those that are watched, each by name and number', () => {
    const order = inOrder([
      named('Cam 10', 'live'),
      named('Cam 2', 'live'),
      named('Cam 1', 'live', false),
      named('Cam 11', 'stalled'),
    ]);
    expect(order.map((view) => view.camera.name)).toEqual(['Cam 11', 'Cam 2', 'Cam 10', 'Cam 1']);
  });

  it('is searched by all words', () => {
    const view = named('Simpang Bulan-Bulan', 'stalled');
    expect(matches(view, 'bulan SIMPANG')).toBe(true);
    expect(matches(view, 'stalled')).toBe(true);
    expect(matches(view, 'bulan timur')).toBe(false);
    expect(matches(view, '  ')).toBe(true);
  });
});

describe('a camera as it is typed', () => {
  it('comes back as it was, and keeps the errors of its calibrated pose', () => {
    const { camera: known } = camera('c');
    const fitted = { ...known, pose: known.pose && { ...known.pose, covariance: [[1]] } };
    const fields = fieldsOf(draftOf(fitted, false), fitted);
    expect(fields.pose).toEqual(fitted.pose);
    expect(fields).not.toHaveProperty('password');
    const moved = fieldsOf({ ...draftOf(fitted, false), bearing_deg: 12 }, fitted);
    expect(moved.pose).not.toHaveProperty('covariance');
    expect(moved.pose?.bearing_deg).toBe(12);
  });

  it('takes over what somebody else has changed meanwhile, but for what was typed', () => {
    const { camera: before } = camera('c');
    const now = { ...before, name: 'Theirs', group: 'Timur', version: 2 };
    const draft = { ...draftOf(before, false), name: 'Mine', range_m: 90 };
    expect(rebased(draft, before, now)).toEqual({
      ...draftOf(now, false),
      name: 'Mine',
      range_m: 90,
    });
  });

  it('has no pose where nobody described its view, and a head only with both ends', () => {
    const empty = { ...draftOf(null, true), name: ' A ', url: 'rtsp://x', lon: 107, lat: -6.2 };
    const fields = fieldsOf({ ...empty, wide_hfov_deg: 60 }, null);
    expect(fields).toMatchObject({ name: 'A', pose: null, head: null, exercise: true });
    const half = fieldsOf({ ...empty, bearing_deg: 90 }, null);
    expect(half.pose).toMatchObject({ bearing_deg: 90, height_m: 8, bearing_sigma_deg: 4 });
    const unsure = fieldsOf({ ...empty, height_m: 6 }, null);
    expect(unsure.pose?.bearing_sigma_deg).toBe(90);
  });

  it('is asked where its head points only where that was ticked', () => {
    const onvif = { port: 8080, profile: 'one', pan_deg: [-170, 170], tilt_deg: [-90, 20] };
    const { camera: plain } = camera('c');
    const head = { wide_hfov_deg: 60, tele_hfov_deg: 3, onvif, learnt: null } as const;
    const turning = { ...plain, head: structuredClone(head) as unknown as PtzHead };
    const draft = draftOf(turning, false);
    expect(fieldsOf(draft, turning).head).toEqual({ wide_hfov_deg: 60, tele_hfov_deg: 3, onvif });
    expect(fieldsOf({ ...draft, asksHead: false }, turning).head?.onvif).toBe(null);
    expect(draftOf(plain, false)).toMatchObject({ asksHead: false, onvif_port: 80 });
  });
});

describe('the address', () => {
  it('names the screen and the camera, whatever its id', () => {
    const place = { ...placeOf('#/cameras'), cameraId: 'a/b ü', calibrating: true };
    expect(placeOf(hashOf(place))).toEqual(place);
    expect(placeOf('')).toMatchObject({ screen: 'operations', cameraId: null, calibrating: false });
    expect(placeOf('#/cameras/%E0%A4%A').cameraId).toBe(null);
    expect(placeOf('#/cameras//calibrate').calibrating).toBe(false);
  });
});
