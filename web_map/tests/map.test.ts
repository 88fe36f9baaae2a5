import { describe, expect, it } from 'vitest';
import { Operations } from '../src/lib/operations.svelte';
import { FeatureBatch } from '../src/map/batch';
import { Drawing } from '../src/map/drawing';
import { cameraFeature, incidentFeature } from '../src/map/features';
import { graticule } from '../src/map/graticule';
import { vectorLayerIds } from '../src/map/tileinfo';
import { acted, call, camera, estimate, incident, snapshot } from './builders';

const point = (id: string, mark = 0) => ({
  type: 'Feature' as const,
  geometry: { type: 'Point' as const, coordinates: [0, 0] },
  properties: { id, mark },
});

describe('a batch of features', () => {
  it('sends what changed, once, and nothing when nothing did', () => {
    const batch = new FeatureBatch();
    batch.put(point('a', 1));
    batch.put(point('a', 2));
    batch.put(point('b'));
    batch.remove('b');
    expect(batch.take()).toEqual({ add: [point('a', 2)], remove: ['b'] });
    expect(batch.take()).toBeNull();
  });

  it('tells what is new from what has only moved', () => {
    const batch = new FeatureBatch();
    batch.put(point('a'));
    expect(batch.hasNews).toBe(true);
    batch.take();
    batch.put({ ...point('a'), geometry: { type: 'Point', coordinates: [1, 1] } });
    expect(batch.hasNews).toBe(false);
    batch.put(point('a', 1));
    expect(batch.hasNews).toBe(true);
    batch.take();
    batch.remove('a');
    expect(batch.hasNews).toBe(true);
  });

  it('holds exactly what it was last told to hold', () => {
    const batch = new FeatureBatch();
    batch.replace([point('a'), point('b')]);
    batch.take();
    batch.replace([point('b'), point('c')]);
    expect(batch.take()?.remove).toEqual(['a']);
    expect([...batch.ids()].sort()).toEqual(['b', 'c']);
  });
});

function drawn() {
  const operations = new Operations();
  const seen = estimate({ camera_ids: ['c1'], call_ids: ['k1'] });
  operations.replaceAll(
    snapshot({
      incidents: [
        incident({ id: 'i1', estimate: seen }),
        incident({ id: 'quiet', level: 'candidate' }),
        incident({ id: 'signal', level: 'signal' }),
      ],
      cameras: [camera('c1'), camera('c2')],
      calls: [call('k1')],
    }),
  );
  const drawing = new Drawing(operations);
  operations.subscribe((touched) => drawing.touch(touched));
  const drain = () => Object.values(drawing.batches).forEach((batch) => batch.take());
  drain();
  return { operations, drawing, drain };
}

const property = (drawing: Drawing, source: keyof Drawing['batches'], id: string, name: string) =>
  drawing.batches[source].get(id)?.properties?.[name] as unknown;

describe('the drawing', () => {
  it('sends nothing for a change that moves nothing', () => {
    const { operations, drawing } = drawn();
    const same = structuredClone({ ...operations.incidents.get('i1')!, version: 2 });
    operations.putIncident({ ...same, estimate: { ...same.estimate, probability: 0.97 } });
    for (const batch of Object.values(drawing.batches)) expect(batch.take()).toBeNull();
  });

  it('keeps incident, caller and camera apart, and signals off the map', () => {
    const { drawing } = drawn();
    expect([...drawing.batches.incidents.ids()].sort()).toEqual(['i1', 'quiet']);
    expect([...drawing.batches.callers.ids()]).toEqual(['k1']);
    expect(drawing.batches.incidents.get('i1')?.geometry).not.toEqual(
      drawing.batches.callers.get('k1')?.geometry,
    );
    expect(property(drawing, 'cameras', 'c1', 'role')).toBe('watching');
    expect(property(drawing, 'cameras', 'c2', 'role')).toBe('idle');
  });

  it('touches one feature for one camera\u2019s change among many', () => {
    const { operations, drawing } = drawn();
    operations.putCamera(
      camera('c2', { health: { camera_id: 'c2', state: 'frozen', since: '', detail: '' } }),
    );
    expect(drawing.batches.cameras.take()).toMatchObject({
      add: [{ properties: { id: 'c2', role: 'sick' } }],
    });
    expect(drawing.batches.incidents.take()).toBeNull();
    expect(drawing.batches.callers.take()).toBeNull();
  });

  it('shows regions of alarms, and those of a candidate only while it is looked at', () => {
    const { operations, drawing } = drawn();
    expect([...drawing.batches.regions.ids()]).toEqual(['i1/90', 'i1/50']);
    operations.select('quiet');
    expect([...drawing.batches.regions.ids()]).toContain('quiet/50');
    operations.select('i1');
    expect([...drawing.batches.regions.ids()]).not.toContain('quiet/50');
  });

  it('draws fields of view of the cameras that see the selected incident, and of the one pointed at', () => {
    const { operations, drawing } = drawn();
    expect(drawing.batches.views.size).toBe(0);
    operations.select('i1');
    expect([...drawing.batches.views.ids()]).toEqual(['c1']);
    drawing.lookAt('c2');
    expect([...drawing.batches.views.ids()].sort()).toEqual(['c1', 'c2']);
    drawing.lookAt(null);
    expect([...drawing.batches.views.ids()]).toEqual(['c1']);
  });

  it('lets an ended incident go and its cameras stand down', () => {
    const { operations, drawing } = drawn();
    operations.applyAll([acted(11, incident({ id: 'i1', version: 2, state: 'closed' }))]);
    expect([...drawing.batches.incidents.ids()]).toEqual(['quiet']);
    expect([...drawing.batches.regions.ids()]).toEqual([]);
    expect(property(drawing, 'cameras', 'c1', 'role')).toBe('idle');
  });
});

describe('marks', () => {
  it('say priority, selection and level in the icon\u2019s name', () => {
    expect(incidentFeature(incident({ priority: 2 }), false).properties?.['icon']).toBe('p2');
    expect(incidentFeature(incident({ priority: 2 }), true).properties?.['icon']).toBe(
      'p2-selected',
    );
    const quiet = incident({ priority: 3, level: 'candidate' });
    expect(incidentFeature(quiet, false).properties?.['icon']).toBe('p3-quiet');
  });

  it('show a sick camera as sick, even while it should be watching', () => {
    const sick = camera('c', { health: { camera_id: 'c', state: 'black', since: '', detail: '' } });
    expect(cameraFeature(sick, 'watching').properties).toMatchObject({
      icon: 'camera-sick',
      role: 'sick',
    });
  });

  it('draw a camera without a pose without a nose', () => {
    const view = camera('c');
    const blind = { ...view, camera: { ...view.camera, pose: null } };
    expect(cameraFeature(blind, 'idle').properties?.['icon']).toBe('camera-blind');
  });
});

describe('the graticule', () => {
  it('stays small for a city and for a region', () => {
    const city = graticule({ lon: 107, lat: -6.2, radius_m: 30_000 }).features.length;
    const region = graticule({ lon: 107, lat: -6.2, radius_m: 300_000 }).features.length;
    expect(city).toBeGreaterThan(50);
    expect(Math.max(city, region)).toBeLessThan(200);
  });
});

describe('a PMTiles file', () => {
  it('names its layers where the specification says, or where converted files keep them', () => {
    const layers = { vector_layers: [{ id: 'roads' }, { id: 'water' }] };
    expect(vectorLayerIds(layers)).toEqual(['roads', 'water']);
    expect(vectorLayerIds({ name: 'city', json: JSON.stringify(layers) })).toEqual([
      'roads',
      'water',
    ]);
    expect(vectorLayerIds({ json: '{' })).toEqual([]);
    expect(vectorLayerIds(null)).toEqual([]);
  });
});
