// What lies beneath: a graticule and configured GeoJSON, or a PMTiles file, or an online style.
// Roads, areas and water are recognised by the names that OpenStreetMap extracts commonly use, so
// that any city's file is drawn calmly without a style of its own.

import type {
  FilterSpecification,
  LayerSpecification,
  SourceSpecification,
  StyleSpecification,
} from 'maplibre-gl';
import type { Config } from '../lib/types';
import fontUrl from '@fontsource-variable/inter/files/inter-latin-wght-normal.woff2?url';
import { graticule } from './graticule';
import type { Palette } from './palette';

export const MAP_FONT = 'Inter';
/** Labels are drawn from this file; no glyph server is asked. */
export const FONT_FACES = { [MAP_FONT]: new URL(fontUrl, location.href).href };

export interface Basemap {
  sources: Record<string, SourceSpecification>;
  layers: (palette: Palette) => LayerSpecification[];
}

interface Part {
  key: string;
  source: string;
  sourceLayer?: string;
}

export async function chooseBasemap(
  config: Config,
  layersOf: (url: string) => Promise<string[]>,
): Promise<Basemap> {
  const { map, city } = config;
  if (map.pmtiles_url !== null) {
    const url = new URL(map.pmtiles_url, location.href).href;
    const parts = (await layersOf(url)).map((name) => ({
      key: `tiles-${name}`,
      source: 'tiles',
      sourceLayer: name,
    }));
    return {
      sources: { tiles: { type: 'vector', url: `pmtiles://${url}` } },
      layers: (palette) => [background(palette), ...drawParts(parts, palette)],
    };
  }
  const parts = map.geojson_urls.map((_, index) => ({
    key: `file-${index}`,
    source: `file-${index}`,
  }));
  const files = map.geojson_urls.map((url, index): [string, SourceSpecification] => [
    `file-${index}`,
    { type: 'geojson', data: new URL(url, location.href).href },
  ]);
  return {
    sources: {
      graticule: { type: 'geojson', data: graticule(city) },
      ...Object.fromEntries(files),
    },
    layers: (palette) => [
      background(palette),
      ...graticuleLayers(palette),
      ...drawParts(parts, palette),
    ],
  };
}

export function styleOf(basemap: Basemap, palette: Palette): StyleSpecification {
  return {
    version: 8,
    'font-faces': FONT_FACES,
    sources: basemap.sources,
    layers: basemap.layers(palette),
  };
}

function background(palette: Palette): LayerSpecification {
  return { id: 'ground', type: 'background', paint: { 'background-color': palette.ground } };
}

function graticuleLayers(palette: Palette): LayerSpecification[] {
  const paint = { 'line-color': palette.graticule, 'line-width': 1 };
  return [
    {
      id: 'graticule-minor',
      type: 'line',
      source: 'graticule',
      minzoom: 12.5,
      filter: ['!', ['get', 'major']],
      paint,
    },
    { id: 'graticule-major', type: 'line', source: 'graticule', filter: ['get', 'major'], paint },
  ];
}

const GEOMETRY_IS = (kind: string): FilterSpecification =>
  ['==', ['geometry-type'], kind] as FilterSpecification;
const HAS_ANY = (...names: string[]): FilterSpecification =>
  ['any', ...names.map((name) => ['has', name])] as FilterSpecification;
const CLASS = ['coalesce', ['get', 'highway'], ['get', 'class'], ['get', 'kind'], ''];
const NAME = ['coalesce', ['get', 'nama'], ['get', 'name'], ''];
const MAJOR_ROADS = [
  'motorway',
  'motorway_link',
  'trunk',
  'trunk_link',
  'primary',
  'primary_link',
  'highway',
  'major_road',
];
const IS_ROAD: FilterSpecification = [
  'all',
  GEOMETRY_IS('LineString'),
  [
    'any',
    HAS_ANY('highway', 'railway'),
    [
      'in',
      CLASS,
      [
        'literal',
        [...MAJOR_ROADS, 'secondary', 'tertiary', 'minor', 'minor_road', 'service', 'street'],
      ],
    ],
  ],
] as unknown as FilterSpecification;
const IS_WATER: FilterSpecification = [
  'all',
  GEOMETRY_IS('Polygon'),
  [
    'any',
    HAS_ANY('water', 'waterway'),
    ['==', ['get', 'natural'], 'water'],
    ['in', CLASS, ['literal', ['water', 'lake', 'river', 'ocean']]],
  ],
] as unknown as FilterSpecification;

/** Later parts lie above; within each the order is water, areas, roads, then words. */
function drawParts(parts: readonly Part[], palette: Palette): LayerSpecification[] {
  return [
    ...parts.flatMap((part) => areas(part, palette)),
    ...parts.flatMap((part) => roads(part, palette)),
    ...parts.flatMap((part) => names(part, palette)),
  ];
}

function from(part: Part) {
  return part.sourceLayer === undefined
    ? { source: part.source }
    : { source: part.source, 'source-layer': part.sourceLayer };
}

function areas(part: Part, palette: Palette): LayerSpecification[] {
  const isBase =
    part.sourceLayer === 'earth' ||
    part.sourceLayer === 'landcover' ||
    part.sourceLayer === 'buildings';
  if (isBase) return [];
  return [
    {
      id: `${part.key}-water`,
      type: 'fill',
      ...from(part),
      filter: part.sourceLayer === 'water' ? GEOMETRY_IS('Polygon') : IS_WATER,
      paint: { 'fill-color': palette.water },
    },
    ...(part.sourceLayer === 'water' || part.sourceLayer === 'landuse'
      ? []
      : [
          {
            id: `${part.key}-boundary`,
            type: 'line' as const,
            ...from(part),
            filter: [
              'all',
              GEOMETRY_IS('Polygon'),
              ['!', IS_WATER],
            ] as unknown as FilterSpecification,
            paint: {
              'line-color': palette.boundary,
              'line-width': 1,
              'line-dasharray': [4, 3],
            },
          },
        ]),
  ];
}

function roads(part: Part, palette: Palette): LayerSpecification[] {
  const isMajor = ['in', CLASS, ['literal', MAJOR_ROADS]];
  return [
    {
      id: `${part.key}-roads`,
      type: 'line',
      ...from(part),
      filter: part.sourceLayer === 'roads' ? GEOMETRY_IS('LineString') : IS_ROAD,
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: {
        'line-color': ['case', isMajor, palette.road, palette.roadMinor] as never,
        'line-width': [
          'interpolate',
          ['exponential', 1.5],
          ['zoom'],
          10,
          ['case', isMajor, 1, 0.4],
          13,
          ['case', isMajor, 3, 1.6],
          16,
          ['case', isMajor, 10, 6],
          19,
          ['case', isMajor, 30, 20],
        ] as never,
      },
    },
  ];
}

function names(part: Part, palette: Palette): LayerSpecification[] {
  const halo = { 'text-halo-color': palette.ground, 'text-halo-width': 1.5 };
  return [
    {
      id: `${part.key}-road-names`,
      type: 'symbol',
      ...from(part),
      minzoom: 13.5,
      filter: part.sourceLayer === 'roads' ? GEOMETRY_IS('LineString') : IS_ROAD,
      layout: {
        'symbol-placement': 'line',
        'symbol-spacing': 420,
        'text-field': NAME as never,
        'text-font': [MAP_FONT],
        'text-size': 11,
        'text-max-angle': 30,
      },
      paint: { 'text-color': palette.roadText, ...halo },
    },
    {
      id: `${part.key}-area-names`,
      type: 'symbol',
      ...from(part),
      maxzoom: 15,
      filter: [
        'all',
        GEOMETRY_IS('Polygon'),
        ['!', IS_WATER],
        HAS_ANY('nama', 'name'),
      ] as unknown as FilterSpecification,
      layout: {
        'text-field': NAME as never,
        'text-font': [MAP_FONT],
        'text-size': 12,
        'text-letter-spacing': 0.06,
        'text-max-width': 7,
        'text-padding': 24,
      },
      paint: { 'text-color': palette.placeText, ...halo },
    },
  ];
}
