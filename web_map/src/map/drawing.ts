// What the operations hold, as features, kept up change by change. Knows no map: it fills batches.

import type { Feature } from 'geojson';
import { fixArea } from '../lib/geodesy';
import { isOpen } from '../lib/lifecycle';
import { latestFix } from '../lib/callers';
import type { Operations, Touched } from '../lib/operations.svelte';
import { isActive } from '../lib/queue';
import type { Area, Incident, LonLat } from '../lib/types';
import { FeatureBatch } from './batch';
import {
  callerFeatures,
  cameraFeature,
  incidentFeature,
  isDrawn,
  pickFeatures,
  regionFeatures,
  viewFeature,
} from './features';
import { OVERLAY_SOURCES, type OverlaySource } from './overlay';

export class Drawing {
  readonly batches: Record<OverlaySource, FeatureBatch>;
  private watching = new Set<string>();
  private selectedId: string | null = null;
  private looked: string | null = null;
  private also: readonly string[] = [];

  constructor(private readonly operations: Operations) {
    this.batches = Object.fromEntries(
      OVERLAY_SOURCES.map((name) => [name, new FeatureBatch()]),
    ) as Record<OverlaySource, FeatureBatch>;
    this.drawAll();
  }

  /** Whether what waits to be drawn is more than a few marks that have moved. */
  get hasNews(): boolean {
    return OVERLAY_SOURCES.some((name) => this.batches[name].hasNews);
  }

  touch(touched: Touched): void {
    switch (touched.what) {
      case 'all':
        this.drawAll();
        break;
      case 'incident':
        this.drawIncident(touched.id);
        this.drawCallersOf(touched.id);
        this.drawWatching();
        break;
      case 'call':
        this.drawCall(touched.id);
        break;
      case 'camera':
        this.drawCamera(touched.id);
        this.drawViews();
        break;
      case 'selection':
        this.select(this.operations.selectedId);
    }
  }

  /** A camera that somebody points at shows its field of view. */
  lookAt(cameraId: string | null): void {
    if (this.looked === cameraId) return;
    this.looked = cameraId;
    this.drawViews();
  }

  /** Cameras that watch for another reason than the selected incident: a call just taken. */
  alsoShow(cameraIds: readonly string[]): void {
    this.also = cameraIds;
    this.drawWatching();
  }

  pick(at: LonLat | null, radiusM: number): void {
    const features = at === null ? null : pickFeatures(at, radiusM);
    this.batches.pick.replace(features ? [features.at] : []);
    this.batches['pick-area'].replace(features ? [features.area] : []);
  }

  /** What belongs in view when an incident is shown: its region and its callers. */
  extentOf(incident: Incident): Area[] {
    const areas = [incident.estimate.region90.area];
    for (const id of incident.estimate.call_ids) {
      const call = this.operations.calls.get(id);
      const fix = call ? latestFix(call) : null;
      if (fix) areas.push(fixArea(fix));
    }
    return areas;
  }

  private drawAll(): void {
    const { operations } = this;
    this.selectedId = operations.selectedId;
    this.watching = this.wanted();
    const drawn = [...operations.incidents.values()].filter((one) => this.shows(one));
    this.batches.incidents.replace(drawn.map((one) => incidentFeature(one, this.isSelected(one))));
    this.batches.regions.replace(drawn.flatMap((one) => this.regionsOf(one)));
    const callers = [...operations.calls.values()]
      .map((call) => callerFeatures(call, this.isCallOfSelected(call.id)))
      .filter((one) => one !== null);
    this.batches.callers.replace(callers.map((one) => one.at));
    this.batches['caller-areas'].replace(callers.map((one) => one.area));
    this.batches.cameras.replace(
      [...operations.cameras.values()].map((view) =>
        cameraFeature(view, this.watching.has(view.camera.id) ? 'watching' : 'idle'),
      ),
    );
    this.drawViews();
  }

  private select(id: string | null): void {
    const before = this.selectedId;
    this.selectedId = id;
    for (const one of [before, id]) {
      if (one === null) continue;
      this.drawIncident(one);
      this.drawCallersOf(one);
    }
    this.looked = null;
    this.drawWatching();
  }

  private isSelected(incident: Incident): boolean {
    return incident.id === this.selectedId;
  }

  private shows(incident: Incident): boolean {
    return isDrawn(incident, this.isSelected(incident));
  }

  private isCallOfSelected(callId: string): boolean {
    return this.operations.selected?.estimate.call_ids.includes(callId) ?? false;
  }

  private drawIncident(id: string): void {
    const known = this.operations.incidents.get(id);
    const incident = known && this.operations.shown(known);
    if (!incident || !this.shows(incident)) {
      this.batches.incidents.remove(id);
      this.removeRegions(id);
      return;
    }
    this.batches.incidents.put(incidentFeature(incident, this.isSelected(incident)));
    const regions = this.regionsOf(incident);
    for (const region of regions) this.batches.regions.put(region);
    if (regions.length === 0) this.removeRegions(id);
  }

  /** A candidate's regions are drawn only while somebody looks at it. */
  private regionsOf(incident: Incident): Feature[] {
    const selected = this.isSelected(incident);
    return selected || isActive(incident) ? regionFeatures(incident, selected) : [];
  }

  private removeRegions(id: string): void {
    this.batches.regions.remove(`${id}/50`);
    this.batches.regions.remove(`${id}/90`);
  }

  private drawCallersOf(incidentId: string): void {
    const incident = this.operations.incidents.get(incidentId);
    for (const id of incident?.estimate.call_ids ?? []) this.drawCall(id);
  }

  private drawCall(id: string): void {
    const call = this.operations.calls.get(id);
    const features = call ? callerFeatures(call, this.isCallOfSelected(id)) : null;
    if (features === null) {
      this.batches.callers.remove(id);
      this.batches['caller-areas'].remove(id);
      return;
    }
    this.batches.callers.put(features.at);
    this.batches['caller-areas'].put(features.area);
  }

  private drawCamera(id: string): void {
    const view = this.operations.cameras.get(id);
    if (!view) this.batches.cameras.remove(id);
    else this.batches.cameras.put(cameraFeature(view, this.watching.has(id) ? 'watching' : 'idle'));
  }

  /** Cameras that report an open incident, and those that see the selected one. */
  private wanted(): Set<string> {
    const found = new Set<string>();
    for (const incident of this.operations.incidents.values()) {
      if (!isActive(incident)) continue;
      for (const id of incident.estimate.camera_ids) found.add(id);
    }
    for (const id of [...this.camerasOfSelected(), ...this.also]) found.add(id);
    return found;
  }

  private camerasOfSelected(): Set<string> {
    const incident = this.operations.selected;
    if (!incident || !isOpen(incident.state)) return new Set();
    const { estimate } = incident;
    const named = estimate.contributions
      .filter((one) => one.source === 'camera' || one.source === 'camera_sees_nothing')
      .map((one) => one.source_id);
    return new Set([...estimate.camera_ids, ...named, ...incident.best_camera_ids.slice(0, 4)]);
  }

  private drawWatching(): void {
    const before = this.watching;
    this.watching = this.wanted();
    for (const id of before) if (!this.watching.has(id)) this.drawCamera(id);
    for (const id of this.watching) if (!before.has(id)) this.drawCamera(id);
    this.drawViews();
  }

  private drawViews(): void {
    const ids = this.also.length > 0 ? new Set(this.also) : this.camerasOfSelected();
    if (this.looked !== null) ids.add(this.looked);
    const views: Feature[] = [];
    for (const id of ids) {
      const view = this.operations.cameras.get(id);
      if (view?.field_of_view) views.push(viewFeature(view, view.field_of_view));
    }
    this.batches.views.replace(views);
  }
}
