// The operations' map.
//
// Life cycle: made on an element; the style loads; from then on changes gathered by `Drawing` are
// sent in batches; `destroy` releases the GPU's context.

import type { GeoJSONSource, LngLatBoundsLike, Map as LibreMap, MapMouseEvent } from 'maplibre-gl';
import { boundsOf } from '../lib/geodesy';
import type { Operations } from '../lib/operations.svelte';
import { prefersReducedMotion, type Theme } from '../lib/preferences.svelte';
import type { Config, LonLat } from '../lib/types';
import { findBasemap } from './background';
import type { Basemap } from './basemap';
import { Drawing } from './drawing';
import type { MapHandle, MapView, Mark } from './handle';
import { allIcons, PIXEL_RATIO } from './icons';
import { OVERLAY_SOURCES, overlayLayers, overlaySource } from './overlay';
import { PALETTES } from './palette';
import { repaint, stageMap } from './stage';

export interface MapEvents {
  onincident(id: string): void;
  onpick(at: LonLat): void;
  onproblem(what: string): void;
}

/** A single change is drawn at once; a flood of them in steps, since each step draws the whole map,
 * and without a graphics card that takes a core a quarter of a second. */
const FIRST_FLUSH_MS = 16;
const FLUSH_EVERY_MS = 250;
/** Fusion moves each live incident by a few metres, once a second. */
const MOVE_EVERY_MS = 1_000;
const CLOSEST_ZOOM = 16;

export class MapController implements MapHandle, MapView {
  private readonly map: LibreMap;
  private readonly drawing: Drawing;
  private readonly unsubscribe: () => void;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private due = 0;
  private flushedAt = -MOVE_EVERY_MS;
  private ready = false;
  private picking = false;

  static async open(
    element: HTMLElement,
    config: Config,
    operations: Operations,
    theme: Theme,
    events: MapEvents,
  ): Promise<MapController> {
    // Marks and labels are drawn on canvases: the font must be there first.
    await document.fonts.load('700 13px Inter', '1234');
    const basemap = await findBasemap(config, (what) => events.onproblem(what));
    return new MapController(element, config, basemap, operations, theme, events);
  }

  private constructor(
    element: HTMLElement,
    private readonly config: Config,
    private readonly basemap: Basemap,
    private readonly operations: Operations,
    private theme: Theme,
    private readonly events: MapEvents,
  ) {
    const { city, map } = config;
    this.drawing = new Drawing(operations);
    this.map = stageMap(
      element,
      config,
      { centre: city, zoom: map.zoom, maxZoom: 20 },
      () => this.furnish(),
      (what) => events.onproblem(what),
    );
    this.listen();
    this.unsubscribe = operations.subscribe((touched) => {
      this.drawing.touch(touched);
      this.soon();
    });
  }

  destroy(): void {
    this.unsubscribe();
    clearTimeout(this.timer);
    this.ready = false;
    this.map.remove();
  }

  setTheme(theme: Theme): void {
    if (theme === this.theme) return;
    this.theme = theme;
    if (!this.ready) return;
    const palette = PALETTES[theme];
    for (const icon of allIcons(palette)) this.map.updateImage(icon.name, icon.image);
    repaint(this.map, [...this.basemap.layers(palette), ...overlayLayers(palette)]);
  }

  setPicking(picking: boolean): void {
    this.picking = picking;
    this.map.getCanvas().style.cursor = picking ? 'crosshair' : '';
  }

  pick(at: LonLat | null, radiusM: number): void {
    this.drawing.pick(at, radiusM);
    this.soon();
  }

  focus(): void {
    this.map.getCanvas().focus();
  }

  showIncident(id: string): void {
    const incident = this.operations.incidents.get(id);
    if (incident) this.fit(boundsOf(this.drawing.extentOf(incident)));
  }

  showCamera(id: string): void {
    const view = this.operations.cameras.get(id);
    if (!view) return;
    this.drawing.lookAt(id);
    this.soon();
    const at = view.camera.pose?.position ?? view.camera.position;
    this.showPlace(at);
  }

  showViews(cameraIds: readonly string[]): void {
    this.drawing.alsoShow(cameraIds);
    this.soon();
  }

  showPlace(at: LonLat): void {
    if (this.isInside(at)) return;
    this.map.easeTo({ center: [at.lon, at.lat], ...this.motion() });
  }

  zoomIn(): void {
    this.map.zoomIn(this.motion());
  }

  zoomOut(): void {
    this.map.zoomOut(this.motion());
  }

  home(): void {
    const { city, map } = this.config;
    this.map.easeTo({ center: [city.lon, city.lat], zoom: map.zoom, ...this.motion() });
  }

  // What tests may see.

  idle(): boolean {
    return this.ready && this.timer === undefined && this.map.loaded() && !this.map.isMoving();
  }

  zoom(): number {
    return this.map.getZoom();
  }

  incidents(): Mark[] {
    return this.marks('incidents');
  }

  callers(): Mark[] {
    return this.marks('callers');
  }

  cameras(): Mark[] {
    return this.marks('cameras');
  }

  rendered(layer: Parameters<MapView['rendered']>[0]): string[] {
    if (!this.ready) return [];
    const found = this.map.queryRenderedFeatures({ layers: [layer] });
    return [...new Set(found.map((one) => String(one.properties['id'])))];
  }

  private marks(source: 'incidents' | 'callers' | 'cameras'): Mark[] {
    const batch = this.drawing.batches[source];
    return [...batch.ids()].map((id) => {
      const geometry = batch.get(id)?.geometry;
      const [lon = 0, lat = 0] = geometry?.type === 'Point' ? geometry.coordinates : [];
      const { x, y } = this.map.project([lon, lat]);
      return { id, lon, lat, x, y };
    });
  }

  private furnish(): void {
    const palette = PALETTES[this.theme];
    for (const icon of allIcons(palette)) {
      if (this.map.hasImage(icon.name)) this.map.updateImage(icon.name, icon.image);
      else this.map.addImage(icon.name, icon.image, { pixelRatio: PIXEL_RATIO });
    }
    for (const name of OVERLAY_SOURCES) {
      this.map.addSource(name, overlaySource());
      this.drawing.batches[name].touchAll();
    }
    for (const [name, source] of Object.entries(this.basemap.sources)) {
      this.map.addSource(name, source);
    }
    for (const layer of [...this.basemap.layers(palette), ...overlayLayers(palette)]) {
      this.map.addLayer(layer);
    }
    this.ready = true;
    this.flush();
  }

  private soon(): void {
    const now = performance.now();
    const every = this.drawing.hasNews ? FLUSH_EVERY_MS : MOVE_EVERY_MS;
    const due = Math.max(now + FIRST_FLUSH_MS, this.flushedAt + every);
    if (this.timer !== undefined && due >= this.due) return;
    clearTimeout(this.timer);
    this.due = due;
    this.timer = setTimeout(() => this.flush(), due - now);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.flushedAt = performance.now();
    if (!this.ready) return;
    for (const name of OVERLAY_SOURCES) {
      const source = this.map.getSource<GeoJSONSource>(name);
      if (source) this.drawing.batches[name].sendTo(source);
    }
  }

  private listen(): void {
    this.map.on('click', (event: MapMouseEvent) => {
      if (this.picking) {
        this.events.onpick({ lon: event.lngLat.lng, lat: event.lngLat.lat });
        return;
      }
      const [top] = this.ready
        ? this.map.queryRenderedFeatures(event.point, { layers: ['incidents'] })
        : [];
      if (top) this.events.onincident(String(top.properties['id']));
    });
    this.map.on('mousemove', (event: MapMouseEvent) => {
      if (!this.ready) return;
      const layers = ['incidents', 'cameras', 'cameras-watching'];
      const [top] = this.map.queryRenderedFeatures(event.point, { layers });
      const isIncident = top?.layer.id === 'incidents';
      if (!this.picking) this.map.getCanvas().style.cursor = isIncident ? 'pointer' : '';
      this.drawing.lookAt(top && !isIncident ? String(top.properties['id']) : null);
      this.soon();
    });
  }

  private fit(bounds: [number, number, number, number] | null): void {
    if (bounds === null) return;
    this.map.fitBounds(bounds as LngLatBoundsLike, {
      padding: 96,
      maxZoom: CLOSEST_ZOOM,
      ...this.motion(),
    });
  }

  private isInside(at: LonLat): boolean {
    const { x, y } = this.map.project([at.lon, at.lat]);
    const { clientWidth, clientHeight } = this.map.getContainer();
    const margin = 48;
    return x > margin && y > margin && x < clientWidth - margin && y < clientHeight - margin;
  }

  private motion(): { duration: number } {
    return { duration: prefersReducedMotion() ? 0 : 350 };
  }
}
