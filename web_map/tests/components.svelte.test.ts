import { fireEvent, render, screen } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';
import Actions from '../src/components/Actions.svelte';
import Connection from '../src/components/topbar/Connection.svelte';
import PictureWithBox from '../src/components/PictureWithBox.svelte';
import QueueItem from '../src/components/QueueItem.svelte';
import ReasonDialog from '../src/components/ReasonDialog.svelte';
import Reasons from '../src/components/Reasons.svelte';
import { clock } from '../src/lib/clock.svelte';
import { preferences } from '../src/lib/preferences.svelte';
import { call, camera, estimate, incident } from './builders';

describe('a card in the queue', () => {
  it('says everything in words, and where tests find it', () => {
    const one = incident({ estimate: estimate({ camera_ids: ['a', 'b'], call_ids: ['k'] }) });
    render(QueueItem, { incident: one, selected: false, saving: false, onselect: () => undefined });
    const card = screen.getByTestId('incident-i1');
    expect(card.dataset).toMatchObject({ state: 'detected', hazard: 'fire', level: 'alarm' });
    expect(card.textContent).toMatch(
      /Kebakaran.*Kayuringin Jaya.*96\s%.*2 kamera.*1 penelepon.*Baru/s,
    );
    expect(screen.getByLabelText('Prioritas 1')).toBeTruthy();
  });

  it('changes language at once', async () => {
    render(QueueItem, {
      incident: incident(),
      selected: false,
      saving: true,
      onselect: () => undefined,
    });
    preferences.setLanguage('en');
    await Promise.resolve();
    expect(screen.getByTestId('incident-i1').textContent).toMatch(/Fire.*saving/s);
  });

  it('marks an exercise', () => {
    const one = incident({ estimate: estimate({ exercise: true }) });
    render(QueueItem, { incident: one, selected: false, saving: false, onselect: () => undefined });
    expect(screen.getByText('LATIHAN')).toBeTruthy();
  });
});

describe('the actions', () => {
  it('fill the expected one only, and show keys', async () => {
    const onaction = vi.fn();
    render(Actions, { state: 'detected', saving: false, onaction });
    const filled = document.querySelectorAll('.primary');
    expect(filled).toHaveLength(1);
    expect(filled[0]?.textContent).toMatch(/Akui\s*A/);
    await fireEvent.click(screen.getByTestId('action-verify'));
    expect(onaction).toHaveBeenCalledWith('verify');
  });

  it('wait while one is being saved', () => {
    render(Actions, { state: 'acknowledged', saving: true, onaction: () => undefined });
    expect(screen.getByTestId<HTMLButtonElement>('action-verify').disabled).toBe(true);
  });
});

describe('the reasons', () => {
  it('are sentences with signed figures, what is for it first, the prior last', () => {
    const one = incident({
      estimate: estimate({
        contributions: [
          { source: 'prior', source_id: '', log_odds: -7.1, sighting: '', distance_m: null },
          {
            source: 'camera_sees_nothing',
            source_id: 'c2',
            log_odds: -1.8,
            sighting: '',
            distance_m: null,
          },
          { source: 'caller', source_id: 'k1', log_odds: 3.4, sighting: '', distance_m: 40 },
          { source: 'camera', source_id: 'c1', log_odds: 6.1, sighting: 'fire', distance_m: 14 },
        ],
      }),
    });
    const cameras = new Map([camera('c1'), camera('c2')].map((view) => [view.camera.id, view]));
    render(Reasons, {
      incident: one,
      cameras,
      calls: new Map([['k1', call('k1')]]),
      oncamera: () => undefined,
    });
    const lines = [...document.querySelectorAll('li')].map((line) =>
      line.textContent?.replace(/\s+/g, ' ').trim(),
    );
    expect(lines).toEqual([
      'C1 melihat api · 14 m +6,1',
      'Penelepon: kebakaran · 40 m +3,4',
      'C2 tak melihat apa pun \u22121,8',
      'Jarang terjadi di sini \u22127,1',
    ]);
  });

  it('keep two tracks of one camera apart', () => {
    const track = { source: 'camera' as const, source_id: 'c1', log_odds: 2, distance_m: null };
    const contributions = [
      { ...track, sighting: 'fire' },
      { ...track, sighting: 'smoke' },
    ];
    const one = incident({ estimate: estimate({ contributions }) });
    render(Reasons, {
      incident: one,
      cameras: new Map(),
      calls: new Map(),
      oncamera: () => undefined,
    });
    expect(document.querySelectorAll('li')).toHaveLength(2);
  });
});

describe('the key picture', () => {
  const picture = {
    picture_id: 'sha',
    camera_id: 'c1',
    captured_at: '2026-11-22T02:00:00Z',
    width_px: 640,
    height_px: 360,
    box: { x0: 160, y0: 180, x1: 320, y1: 360 },
    sighting: 'fire',
    score: 0.913,
  };

  it('has its box where the detector saw it, with a word and a score', () => {
    render(PictureWithBox, { picture, priority: 1, alt: 'api' });
    const box = screen.getByTestId('key-picture-box');
    expect([box.style.left, box.style.top, box.style.width, box.style.height]).toEqual([
      '25%',
      '50%',
      '25%',
      '50%',
    ]);
    expect(box.textContent?.trim()).toMatch(/api\s+0,91/);
    expect(screen.getByTestId<HTMLImageElement>('key-picture-image').getAttribute('src')).toBe(
      '/api/v1/evidence/sha',
    );
  });

  it('says so when the picture is missing, and tries again when asked', async () => {
    render(PictureWithBox, { picture, priority: 1, alt: 'api' });
    await fireEvent.error(screen.getByTestId('key-picture-image'));
    expect(screen.queryByTestId('key-picture-box')).toBeNull();
    await fireEvent.click(screen.getByText('Muat lagi'));
    expect(screen.getByTestId('key-picture-image')).toBeTruthy();
  });
});

describe('rejecting', () => {
  it('needs a reason, which a digit chooses', async () => {
    const onreason = vi.fn();
    render(ReasonDialog, {
      action: 'reject',
      incident: incident(),
      onreason,
      oncancel: () => undefined,
    });
    await fireEvent.submit(document.querySelector('form')!);
    expect(onreason).not.toHaveBeenCalled();
    expect(screen.getByText('Pilih atau tulis alasan.')).toBeTruthy();
    await fireEvent.keyDown(screen.getByTestId('reason-lookalike'), { key: '2' });
    await fireEvent.submit(document.querySelector('form')!);
    expect(onreason).toHaveBeenCalledWith('Lalu lintas biasa');
  });
});

describe('the connection', () => {
  it('always says how old what you see is', () => {
    clock.now = Date.parse('2026-11-22T02:00:30Z');
    const heardAt = Date.parse('2026-11-22T02:00:12Z');
    const { rerender } = render(Connection, { state: 'live', heardAt });
    expect(screen.getByTestId('connection').textContent).toMatch(/Langsung\s+18 dtk/);
    void rerender({ state: 'reconnecting', heardAt });
    return Promise.resolve().then(() => {
      const shown = screen.getByTestId('connection');
      expect(shown.dataset['state']).toBe('reconnecting');
      expect(shown.textContent).toMatch(/Menyambung kembali\s+data 0:18 yang lalu/);
    });
  });
});
