import { fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import ClipPlayer from '../src/components/ClipPlayer.svelte';
import LiveState from '../src/components/LiveState.svelte';
import { clock } from '../src/lib/clock.svelte';
import type { LiveVideo } from '../src/lib/live.svelte';
import { preferences } from '../src/lib/preferences.svelte';
import type { ClipPart, EvidenceClip } from '../src/lib/types';

const ALARM = '2026-11-22T02:00:15Z';

function part(over: Partial<ClipPart> = {}): ClipPart {
  return {
    evidence_id: 'a'.repeat(64),
    started_at: '2026-11-22T02:00:00Z',
    ended_at: '2026-11-22T02:00:15Z',
    n_bytes: 1000,
    pictures: 375,
    mime: 'video/mp4; codecs="avc1.64001f"',
    width_px: 1280,
    height_px: 720,
    ...over,
  };
}

function clip(over: Partial<EvidenceClip> = {}): EvidenceClip {
  return {
    id: 'i1/c1/alarm',
    incident_id: 'i1',
    camera_id: 'c1',
    since: '2026-11-22T02:00:00Z',
    until: '2026-11-22T02:00:45Z',
    state: 'kept',
    requested_at: ALARM,
    updated_at: ALARM,
    parts: [part(), part({ evidence_id: 'b'.repeat(64), started_at: '2026-11-22T02:00:14Z' })],
    detail: '',
    ...over,
  };
}

describe('the recording of an incident', () => {
  beforeEach(() => {
    preferences.setLanguage('en');
    vi.spyOn(HTMLMediaElement.prototype, 'canPlayType').mockReturnValue('probably');
  });
  afterEach(() => {
    preferences.setLanguage('id');
    vi.restoreAllMocks();
  });

  const video = () => screen.getByTestId<HTMLVideoElement>('clip-video');

  it('says when it was, and how far from the alarm', async () => {
    render(ClipPlayer, { clip: clip(), alarmAt: ALARM });
    expect(screen.getByTestId('clip-time').textContent).toMatch(/RECORDED.*09[.:]00[.:]00.*−15 s/s);
    video().currentTime = 12;
    await fireEvent.timeUpdate(video());
    expect(screen.getByTestId('clip-time').textContent).toMatch(/−3 s/);
  });

  it('goes on with the next part where the one before ended, and then is over', async () => {
    const onended = vi.fn();
    render(ClipPlayer, { clip: clip(), alarmAt: ALARM, onended });
    expect(video().src).toContain('/api/v1/evidence/aaa');
    await fireEvent.ended(video());
    expect(video().src).toContain('/api/v1/evidence/bbb');
    Object.defineProperty(video(), 'duration', { value: 30 });
    await fireEvent.loadedMetadata(video());
    expect(video().currentTime).toBe(1);
    expect(onended).not.toHaveBeenCalled();
    await fireEvent.ended(video());
    expect(onended).toHaveBeenCalledOnce();
  });

  it('offers what the browser can’t play as a file', () => {
    vi.mocked(HTMLMediaElement.prototype.canPlayType).mockReturnValue('');
    render(ClipPlayer, { clip: clip(), alarmAt: ALARM });
    const link = screen.getByRole('link');
    expect(link.getAttribute('download')).toBe('c1.mp4');
    expect(link.getAttribute('href')).toContain('/api/v1/evidence/aaa');
  });

  it('says why there is none', () => {
    const why = 'no worker had the camera’s pictures of that time';
    render(ClipPlayer, {
      clip: clip({ state: 'empty', parts: [], detail: why }),
      alarmAt: ALARM,
    });
    expect(screen.getByRole('status').textContent).toContain(why);
  });
});

describe('live video that has ended', () => {
  it('says how old the picture is that is still seen', () => {
    const shownAt = Date.parse('2026-11-22T02:00:00Z');
    clock.now = shownAt + 12_000;
    const live = { state: 'unwatched', shows: false, hasPicture: true, shownAt, following: true };
    render(LiveState, { live: live as LiveVideo, instead: 'nonaktif' });
    expect(document.body.textContent).toMatch(/nonaktif\s*·\s*09\.00\.00\s*·\s*12/);
  });
});
