// The map of the reports: where things happened, and what no camera sees.

import {
  NavigationControl,
  type GeoJSONSource,
  type LayerSpecification,
  type Map as LibreMap,
} from 'maplibre-gl';
import type { Feature } from 'geojson';
import { boundsOf } from '../lib/geodesy';
import { heatSquares } from '../lib/figures';
import type { Theme } from '../lib/preferences.svelte';
import type { Area, Config } from '../lib/types';
import type { HeatReport } from '../lib/types/reports';
import { findBasemap } from './background';
import { MAP_FONT, type Basemap } from './basemap';
import { PALETTES, type Palette } from './palette';
import { areaFeature, collection, furnish, repaint, stageMap } from './stage';

const MAX_ZOOM = 22;

export interface Places {
  heat: HeatReport | null;
  gaps: Area | null;
}

const SOURCES = ['places-gaps', 'places-heat'] as const;

export class PlacesMap {
  private readonly map: LibreMap;
  private ready = false;
  private places: Places | null = null;

  static async open(
    element: HTMLElement,
    config: Config,
    theme: Theme,
    onproblem: (what: string) => void,
  ): Promise<PlacesMap> {
    const basemap = await findBasemap(config, onproblem);
    return new PlacesMap(element, config, basemap, theme, onproblem);
  }

  private constructor(
    element: HTMLElement,
    config: Config,
    private readonly basemap: Basemap,
    private theme: Theme,
    onproblem: (what: string) => void,
  ) {
    const { city, map } = config;
    this.map = stageMap(
      element,
      config,
      { centre: city, zoom: map.zoom, maxZoom: MAX_ZOOM },
      () => this.furnish(),
      onproblem,
    );
    // The page is scrolled over it.
    this.map.scrollZoom.disable();
    this.map.addControl(new NavigationControl({ showCompass: false }), 'top-right');
  }

  destroy(): void {
    this.ready = false;
    this.map.remove();
  }

  setTheme(theme: Theme): void {
    if (theme === this.theme) return;
    this.theme = theme;
    if (this.ready) repaint(this.map, this.layers());
  }

  show(places: Places): void {
    this.places = places;
    if (!this.ready) return;
    const { heat, gaps } = places;
    this.draw('places-gaps', gaps ? [areaFeature(gaps)] : []);
    const squares = heat ? heatSquares(heat) : [];
    this.draw(
      'places-heat',
      squares.map(({ area, count, share }) => areaFeature(area, { count: String(count), share })),
    );
    const bounds = boundsOf(squares.length ? squares.map(({ area }) => area) : gaps ? [gaps] : []);
    if (bounds) this.map.fitBounds(bounds, { padding: 32, maxZoom: 15, duration: 0 });
  }

  isIdle(): boolean {
    return this.ready && this.map.loaded() && !this.map.isMoving();
  }

  /** Squares and gaps that are drawn in view now. */
  rendered(): { squares: number; gaps: number } {
    const count = (layer: string) => this.map.queryRenderedFeatures({ layers: [layer] }).length;
    return { squares: count('places-heat'), gaps: count('places-gaps') };
  }

  private draw(source: (typeof SOURCES)[number], features: Feature[]): void {
    this.map.getSource<GeoJSONSource>(source)?.setData(collection(features));
  }

  private layers(): LayerSpecification[] {
    const palette = PALETTES[this.theme];
    return [...this.basemap.layers(palette), ...placesLayers(palette)];
  }

  private furnish(): void {
    furnish(this.map, this.basemap, SOURCES, this.layers());
    this.ready = true;
    if (this.places) this.show(this.places);
  }
}

function placesLayers(palette: Palette): LayerSpecification[] {
  return [
    {
      id: 'places-gaps',
      type: 'fill',
      source: 'places-gaps',
      paint: { 'fill-color': palette.sick, 'fill-opacity': 0.22 },
    },
    {
      id: 'places-gaps-edge',
      type: 'line',
      source: 'places-gaps',
      paint: { 'line-color': palette.sick, 'line-width': 1, 'line-dasharray': [3, 2] },
    },
    {
      id: 'places-heat',
      type: 'fill',
      source: 'places-heat',
      paint: {
        'fill-color': palette.teal,
        'fill-opacity': ['interpolate', ['linear'], ['get', 'share'], 0, 0.16, 1, 0.8] as never,
      },
    },
    {
      id: 'places-count',
      type: 'symbol',
      source: 'places-heat',
      layout: {
        'text-field': ['get', 'count'] as never,
        'text-font': [MAP_FONT],
        'text-size': 11,
        'text-allow-overlap': true,
      },
      paint: {
        'text-color': palette.text,
        'text-halo-color': palette.halo,
        'text-halo-width': 1.5,
      },
    },
  ];
}
