// Changes to one GeoJSON source, gathered and sent as one diff: 20 changes a second among 5,000
// cameras cost a few features each, never a whole source.

import type { Feature } from 'geojson';
import type { GeoJSONSource, GeoJSONSourceDiff } from 'maplibre-gl';

export type DiffTarget = Pick<GeoJSONSource, 'updateData'>;

export class FeatureBatch {
  /** What the source holds once everything gathered has been sent. */
  private readonly held = new Map<string, Feature>();
  private readonly changed = new Map<string, Feature | null>();
  private news = false;

  get size(): number {
    return this.held.size;
  }

  ids(): IterableIterator<string> {
    return this.held.keys();
  }

  get(id: string): Feature | undefined {
    return this.held.get(id);
  }

  put(feature: Feature): void {
    const id = String(feature.properties?.['id']);
    const before = this.held.get(id);
    // Most changes of an incident move nothing on the map; a source untouched costs no drawing.
    const looksSame = before !== undefined && hasSameProperties(before, feature);
    if (looksSame && hasSameGeometry(before, feature)) return;
    this.news ||= !looksSame;
    this.held.set(id, feature);
    this.changed.set(id, feature);
  }

  remove(id: string): void {
    if (!this.held.delete(id)) return;
    this.changed.set(id, null);
    this.news = true;
  }

  /** Make it hold exactly these. */
  replace(features: readonly Feature[]): void {
    const wanted = new Set(features.map((one) => String(one.properties?.['id'])));
    for (const id of [...this.held.keys()]) if (!wanted.has(id)) this.remove(id);
    for (const one of features) this.put(one);
  }

  /** Whether something came, went or looks different; what has only moved a little may wait. */
  get hasNews(): boolean {
    return this.news;
  }

  /** The gathered changes, or null where there are none. An added feature replaces its namesake. */
  take(): GeoJSONSourceDiff | null {
    if (this.changed.size === 0) return null;
    const add: Feature[] = [];
    const remove: string[] = [];
    for (const [id, feature] of this.changed) {
      if (feature === null) remove.push(id);
      else add.push(feature);
    }
    this.changed.clear();
    this.news = false;
    return { add, remove };
  }

  /** Everything again, for a source that was just made. */
  touchAll(): void {
    for (const [id, feature] of this.held) this.changed.set(id, feature);
  }

  sendTo(source: DiffTarget): void {
    const diff = this.take();
    if (diff !== null) void source.updateData(diff);
  }
}

function hasSameProperties(a: Feature, b: Feature): boolean {
  const [before, after] = [a.properties ?? {}, b.properties ?? {}];
  const names = Object.keys(after);
  return (
    names.length === Object.keys(before).length &&
    names.every((name) => before[name] === after[name])
  );
}

/** The feed's nouns are parsed anew each time, so that equal shapes are different objects. */
function hasSameGeometry(a: Feature, b: Feature): boolean {
  return a.geometry === b.geometry || JSON.stringify(a.geometry) === JSON.stringify(b.geometry);
}
