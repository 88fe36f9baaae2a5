// The map of the calibration screen: where the camera stands and looks, the spots that were
// clicked, and where pixels lie with their error. Small and apart from the operations' map.

import type {
  GeoJSONSource,
  LayerSpecification,
  Map as LibreMap,
  MapMouseEvent,
} from 'maplibre-gl';
import type { Feature, FeatureCollection } from 'geojson';
import { boundsOf } from '../lib/geodesy';
import type { Theme } from '../lib/preferences.svelte';
import type { CalibrationPreview, Config, LonLat } from '../lib/types';
import { findBasemap } from './background';
import { MAP_FONT, type Basemap } from './basemap';
import { PALETTES, type Palette } from './palette';
import { areaFeature, collection, furnish, repaint, stageMap } from './stage';

const SOURCES = ['survey-view', 'survey-errors', 'survey-spots', 'survey-camera'] as const;
const START_ZOOM = 17;

export interface SurveySpot {
  at: LonLat;
  label: string;
  contradicts: boolean;
}

export interface Survey {
  camera: LonLat;
  spots: readonly SurveySpot[];
  preview: CalibrationPreview | null;
  /** Somebody is clicking spots: the map stays as it is. */
  begun: boolean;
}

export interface SurveyEvents {
  onclick(at: LonLat): void;
  onproblem(what: string): void;
}

export class SurveyMap {
  private readonly map: LibreMap;
  private ready = false;
  private survey: Survey | null = null;
  private fitted = false;

  static async open(
    element: HTMLElement,
    config: Config,
    centre: LonLat,
    theme: Theme,
    events: SurveyEvents,
  ): Promise<SurveyMap> {
    const basemap = await findBasemap(config, (what) => events.onproblem(what));
    return new SurveyMap(element, config, basemap, centre, theme, events);
  }

  private constructor(
    element: HTMLElement,
    config: Config,
    private readonly basemap: Basemap,
    centre: LonLat,
    private theme: Theme,
    events: SurveyEvents,
  ) {
    this.map = stageMap(
      element,
      config,
      { centre, zoom: START_ZOOM, maxZoom: 22 },
      () => this.furnish(),
      (what) => events.onproblem(what),
    );
    this.map.getCanvas().style.cursor = 'crosshair';
    this.map.on('click', (event: MapMouseEvent) =>
      events.onclick({ lon: event.lngLat.lng, lat: event.lngLat.lat }),
    );
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

  show(survey: Survey): void {
    this.survey = survey;
    if (!this.ready) return;
    for (const [name, data] of Object.entries(featuresOf(survey))) {
      this.map.getSource<GeoJSONSource>(name)?.setData(data);
    }
    if (survey.begun) this.fitted = true;
    else if (!this.fitted && survey.preview?.field_of_view) this.fit(survey, survey.preview);
  }

  /** Once, at the start: later the map stays where somebody has moved it, or aims at it. */
  private fit({ camera }: Survey, { field_of_view }: CalibrationPreview): void {
    this.fitted = true;
    const bounds = field_of_view === null ? null : boundsOf([field_of_view]);
    if (bounds === null) return;
    const [west, south, east, north] = bounds;
    this.map.fitBounds(
      [
        Math.min(west, camera.lon),
        Math.min(south, camera.lat),
        Math.max(east, camera.lon),
        Math.max(north, camera.lat),
      ],
      { padding: 40, maxZoom: 19, duration: 0 },
    );
  }

  /** Where a place is drawn, in pixels from the map's upper left corner. */
  pixelOf(at: LonLat): { x: number; y: number } {
    const { x, y } = this.map.project([at.lon, at.lat]);
    return { x, y };
  }

  isIdle(): boolean {
    return this.ready && this.map.loaded() && !this.map.isMoving();
  }

  private layers(): LayerSpecification[] {
    const palette = PALETTES[this.theme];
    return [...this.basemap.layers(palette), ...surveyLayers(palette)];
  }

  private furnish(): void {
    furnish(this.map, this.basemap, SOURCES, this.layers());
    this.ready = true;
    if (this.survey) this.show(this.survey);
  }
}

function featuresOf(survey: Survey): Record<(typeof SOURCES)[number], FeatureCollection> {
  const { preview } = survey;
  const errors = preview?.projected.flatMap((one) => (one.region95 ? [one.region95] : [])) ?? [];
  return {
    'survey-view': collection(preview?.field_of_view ? [areaFeature(preview.field_of_view)] : []),
    'survey-errors': collection(errors.map((area) => areaFeature(area))),
    'survey-spots': collection(
      survey.spots.map(({ at, label, contradicts }) => pointFeature(at, { label, contradicts })),
    ),
    'survey-camera': collection([pointFeature(preview?.pose.position ?? survey.camera, {})]),
  };
}

function pointFeature(at: LonLat, properties: Record<string, unknown>): Feature {
  return {
    type: 'Feature',
    properties,
    geometry: { type: 'Point', coordinates: [at.lon, at.lat] },
  };
}

function surveyLayers(palette: Palette): LayerSpecification[] {
  const contradicts = (yes: string, no: string) =>
    ['case', ['get', 'contradicts'], yes, no] as unknown as string;
  return [
    {
      id: 'survey-view',
      type: 'fill',
      source: 'survey-view',
      paint: { 'fill-color': palette.teal, 'fill-opacity': 0.14 },
    },
    {
      id: 'survey-view-edge',
      type: 'line',
      source: 'survey-view',
      paint: { 'line-color': palette.teal, 'line-width': 1.5 },
    },
    {
      id: 'survey-errors',
      type: 'line',
      source: 'survey-errors',
      paint: { 'line-color': palette.text, 'line-width': 1, 'line-dasharray': [3, 2] },
    },
    {
      id: 'survey-camera',
      type: 'circle',
      source: 'survey-camera',
      paint: {
        'circle-radius': 6,
        'circle-color': palette.teal,
        'circle-stroke-color': palette.ground,
        'circle-stroke-width': 2,
      },
    },
    {
      id: 'survey-spots',
      type: 'circle',
      source: 'survey-spots',
      paint: {
        'circle-radius': 9,
        'circle-color': contradicts(palette.priority[2], palette.text),
        'circle-stroke-color': palette.ground,
        'circle-stroke-width': 2,
      },
    },
    {
      id: 'survey-numbers',
      type: 'symbol',
      source: 'survey-spots',
      layout: {
        'text-field': ['get', 'label'] as never,
        'text-font': [MAP_FONT],
        'text-size': 11,
        'text-allow-overlap': true,
      },
      paint: { 'text-color': palette.ground },
    },
  ];
}
