import { describe, expect, it, vi } from 'vitest';
import { Operations, type Touched } from '../src/lib/operations.svelte';
import { troubleOf } from '../src/lib/trouble';
import { acted, call, camera, estimate, incident, loadOf, snapshot } from './builders';

function loaded() {
  const operations = new Operations();
  operations.replaceAll(
    snapshot({
      incidents: [incident({ id: 'i1' }), incident({ id: 'i2' })],
      cameras: [camera('c1'), camera('c2')],
      calls: [call('k1')],
    }),
  );
  return operations;
}

function listen(operations: Operations) {
  const heard: Touched[] = [];
  operations.subscribe((touched) => heard.push(touched));
  return heard;
}

describe('what the server told', () => {
  it('is replaced whole by a snapshot', () => {
    const operations = loaded();
    operations.replaceAll(snapshot({ seq: 40, incidents: [incident({ id: 'i3' })] }));
    expect([...operations.incidents.keys()]).toEqual(['i3']);
    expect(operations.cameras.size).toBe(0);
    expect(operations.seq).toBe(40);
  });

  it('changes one thing a change, and tells which', () => {
    const operations = loaded();
    const heard = listen(operations);
    operations.applyAll([acted(11, incident({ id: 'i2', version: 2, state: 'verified' }))]);
    expect(operations.incidents.get('i2')?.state).toBe('verified');
    expect(heard).toEqual([{ what: 'incident', id: 'i2' }]);
    expect(operations.seq).toBe(11);
  });

  it('never goes back to an older version', () => {
    const operations = loaded();
    operations.putIncident(incident({ id: 'i1', version: 3, state: 'verified' }));
    operations.putIncident(incident({ id: 'i1', version: 2, state: 'acknowledged' }));
    expect(operations.incidents.get('i1')?.state).toBe('verified');
  });

  it('lets an ended incident go, unless somebody is looking at it', () => {
    const operations = loaded();
    operations.select('i1');
    const over = (id: string) => incident({ id, version: 2, state: 'rejected' });
    operations.putIncident(over('i1'));
    operations.putIncident(over('i2'));
    expect([...operations.incidents.keys()]).toEqual(['i1']);
    operations.select(null);
    expect(operations.incidents.size).toBe(0);
  });

  it('counts sick cameras as they fall ill and recover', () => {
    const operations = loaded();
    const health = (state: 'stalled' | 'live') => ({
      seq: 1,
      prev_seq: 0,
      kind: 'camera.health' as const,
      subject_id: 'c1',
      recorded_at: '',
      actor: 'system',
      detail: '',
      exercise: false,
      subject: { camera_id: 'c1', state, since: '', detail: '' },
    });
    operations.applyAll([health('stalled'), health('stalled')]);
    expect(operations.sickCameras).toBe(1);
    operations.applyAll([health('live')]);
    expect(operations.sickCameras).toBe(0);
    expect(operations.cameras.get('c1')?.field_of_view).not.toBeNull();
  });

  it('asks for a saved camera\u2019s new field of view and keeps the old one until then', () => {
    const operations = loaded();
    operations.onCameraSaved = vi.fn();
    const { camera: stood } = camera('c1');
    const saved = (seq: number, subject: typeof stood) =>
      operations.applyAll([
        {
          seq,
          prev_seq: seq - 1,
          kind: 'camera.saved',
          subject_id: 'c1',
          recorded_at: '',
          actor: 'admin',
          detail: '',
          exercise: false,
          subject,
        },
      ]);
    saved(11, { ...stood, name: 'New name', version: 2 });
    expect(operations.onCameraSaved).not.toHaveBeenCalled();
    const pose = stood.pose && { ...stood.pose, bearing_deg: 12 };
    saved(12, { ...stood, name: 'New name', pose, version: 3 });
    expect(operations.onCameraSaved).toHaveBeenCalledWith('c1');
    expect(operations.cameras.get('c1')?.camera.name).toBe('New name');
    expect(operations.cameras.get('c1')?.field_of_view).not.toBeNull();
  });

  it('shows what was just done, marked as pending, and takes it back', () => {
    const operations = loaded();
    const before = operations.incidents.get('i1')!;
    operations.expect(before.id, 'verified');
    expect(operations.shown(before).state).toBe('verified');
    expect(operations.incidents.get('i1')?.state).toBe('detected');
    operations.settle('i1');
    expect(operations.shown(before).state).toBe('detected');
  });

  it('lets what was kept quiet sound at once, also while its own clock is a second behind', () => {
    const operations = loaded();
    const now = Date.parse('2026-11-22T02:00:00Z');
    const shelf = {
      id: 's1',
      camera_id: 'c1',
      hazard: null,
      reason: 'welding',
      actor: 'ayu',
      since: '2026-11-22T01:00:00Z',
      until: '2026-11-22T04:00:00Z',
      ended_by: '',
      exercise: false,
    };
    operations.putShelf(shelf, now);
    expect(operations.shelves.size).toBe(1);
    operations.putShelf({ ...shelf, until: '2026-11-22T02:00:00.900Z', ended_by: 'ayu' }, now);
    expect(operations.shelves.size).toBe(0);
  });

  it('knows of a flood that the service announces, and that it is over', () => {
    const operations = loaded();
    expect(operations.deskLoad).toBeNull();
    operations.applyAll([loadOf(11, '2026-11-22T02:00:00Z')]);
    expect(operations.deskLoad?.flood_since).toBe('2026-11-22T02:00:00Z');
    operations.applyAll([loadOf(12, null)]);
    expect(operations.deskLoad?.flood_since).toBeNull();
  });

  it('forgets old calls that belong to nothing, and only those', () => {
    const operations = loaded();
    operations.putCall(call('k2'));
    operations.putIncident(
      incident({ id: 'i1', version: 2, estimate: estimate({ call_ids: ['k1'] }) }),
    );
    operations.tidy(Date.parse('2026-11-22T03:00:00Z'));
    expect(operations.calls.size).toBe(2);
    operations.tidy(Date.parse('2026-11-22T05:00:00Z'));
    expect([...operations.calls.keys()]).toEqual(['k1']);
  });
});

describe('what is wrong with a camera', () => {
  it('is that it is switched off, before anything that it was', () => {
    const live = camera('c1');
    const stalled = { ...live, health: { ...live.health!, state: 'stalled' as const } };
    const off = { ...stalled, camera: { ...live.camera, enabled: false } };
    expect([live, stalled, off, undefined].map(troubleOf)).toEqual([
      null,
      'stalled',
      'disabled',
      null,
    ]);
  });
});
