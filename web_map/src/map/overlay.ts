// What Siaga itself draws: sources and layers above any basemap, from the ground up.

import type {
  ExpressionSpecification,
  LayerSpecification,
  SourceSpecification,
  SymbolLayerSpecification,
} from 'maplibre-gl';
import { MAP_FONT } from './basemap';
import type { Palette } from './palette';

export const OVERLAY_SOURCES = [
  'views',
  'caller-areas',
  'regions',
  'cameras',
  'callers',
  'incidents',
  'pick-area',
  'pick',
] as const;
export type OverlaySource = (typeof OVERLAY_SOURCES)[number];

export function overlaySource(): SourceSpecification {
  return {
    type: 'geojson',
    promoteId: 'id',
    data: { type: 'FeatureCollection', features: [] },
  };
}

/** Dots: a round cap on a dash of no length. */
const DOTS = [0, 2.2];

export function overlayLayers(palette: Palette): LayerSpecification[] {
  const { priority } = palette;
  const byPriority: ExpressionSpecification = [
    'match',
    ['get', 'priority'],
    1,
    priority[1],
    2,
    priority[2],
    3,
    priority[3],
    priority[4],
  ];
  const selected: ExpressionSpecification = ['boolean', ['get', 'selected'], false];
  const whenSelected = (yes: number, no: number): ExpressionSpecification => [
    'case',
    selected,
    yes,
    no,
  ];
  return [
    {
      id: 'views',
      type: 'fill',
      source: 'views',
      paint: { 'fill-color': palette.teal, 'fill-opacity': 0.2 },
    },
    {
      id: 'caller-areas',
      type: 'fill',
      source: 'caller-areas',
      paint: { 'fill-color': palette.caller, 'fill-opacity': whenSelected(0.09, 0.03) },
    },
    {
      id: 'caller-outlines',
      type: 'line',
      source: 'caller-areas',
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: {
        'line-color': palette.caller,
        'line-width': 2,
        'line-opacity': whenSelected(0.95, 0.45),
        'line-dasharray': DOTS,
      },
    },
    regionFill(90, byPriority, whenSelected(0.12, 0.05)),
    regionFill(50, byPriority, whenSelected(0.18, 0.08)),
    {
      id: 'region-90',
      type: 'line',
      source: 'regions',
      filter: ['==', ['get', 'part'], 90],
      layout: { 'line-join': 'round' },
      paint: {
        'line-color': byPriority,
        'line-width': 1.75,
        'line-opacity': whenSelected(1, 0.5),
        'line-dasharray': [4, 3],
      },
    },
    {
      id: 'region-50',
      type: 'line',
      source: 'regions',
      filter: ['==', ['get', 'part'], 50],
      layout: { 'line-join': 'round' },
      paint: {
        'line-color': byPriority,
        'line-width': 1.75,
        'line-opacity': whenSelected(1, 0.5),
      },
    },
    ...cameraLayers(palette),
    {
      id: 'callers',
      type: 'symbol',
      source: 'callers',
      minzoom: 12,
      layout: {
        'icon-image': 'caller',
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
        'icon-size': ['case', selected, 1, 0.72],
      },
      paint: { 'icon-opacity': whenSelected(1, 0.75) },
    },
    {
      id: 'incidents',
      type: 'symbol',
      source: 'incidents',
      layout: {
        'icon-image': ['get', 'icon'],
        'icon-allow-overlap': true,
        'symbol-sort-key': ['get', 'order'],
      },
    },
    {
      id: 'pick-area',
      type: 'line',
      source: 'pick-area',
      layout: { 'line-cap': 'round' },
      paint: { 'line-color': palette.teal, 'line-width': 2, 'line-dasharray': DOTS },
    },
    {
      id: 'pick',
      type: 'symbol',
      source: 'pick',
      layout: { 'icon-image': 'pick', 'icon-allow-overlap': true, 'icon-ignore-placement': true },
    },
  ];
}

function regionFill(
  part: 50 | 90,
  colour: ExpressionSpecification,
  opacity: ExpressionSpecification,
): LayerSpecification {
  return {
    id: `region-${part}-fill`,
    type: 'fill',
    source: 'regions',
    filter: ['==', ['get', 'part'], part],
    paint: { 'fill-color': colour, 'fill-opacity': opacity },
  };
}

function cameraLayers(palette: Palette): LayerSpecification[] {
  const role: ExpressionSpecification = ['get', 'role'];
  const halo = { 'text-halo-color': palette.halo, 'text-halo-width': 1.5 };
  const label = {
    'text-field': ['get', 'name'] as ExpressionSpecification,
    'text-font': [MAP_FONT],
    'text-size': 12,
    'text-anchor': 'left' as const,
    'text-offset': [1.25, 0] as [number, number],
    'text-max-width': 30,
  };
  const near: ExpressionSpecification = [
    'interpolate',
    ['linear'],
    ['zoom'],
    10,
    0.35,
    13,
    0.7,
    15,
    1,
  ];
  const mark: SymbolLayerSpecification['layout'] = {
    'icon-image': ['get', 'icon'],
    'icon-rotate': ['get', 'bearing'],
    'icon-rotation-alignment': 'map',
    'icon-allow-overlap': true,
    'icon-ignore-placement': true,
    'icon-size': near,
  };
  return [
    {
      id: 'cameras',
      type: 'symbol',
      source: 'cameras',
      filter: ['!=', role, 'watching'],
      layout: mark,
    },
    {
      id: 'cameras-watching',
      type: 'symbol',
      source: 'cameras',
      filter: ['==', role, 'watching'],
      layout: mark,
    },
    {
      id: 'camera-names-sick',
      type: 'symbol',
      source: 'cameras',
      minzoom: 14.5,
      filter: ['==', role, 'sick'],
      layout: {
        ...label,
        'icon-image': 'strike',
        'icon-text-fit': 'both',
        'icon-text-fit-padding': [0, 1, 0, 1],
      },
      paint: { 'text-color': palette.sick, ...halo },
    },
    {
      id: 'camera-names',
      type: 'symbol',
      source: 'cameras',
      minzoom: 15,
      filter: ['==', role, 'idle'],
      layout: label,
      paint: { 'text-color': palette.placeText, ...halo },
    },
    {
      id: 'camera-names-watching',
      type: 'symbol',
      source: 'cameras',
      minzoom: 12.5,
      filter: ['==', role, 'watching'],
      layout: label,
      paint: { 'text-color': palette.text, ...halo },
    },
  ];
}
