// What lies beneath: a graticule, a PMTiles file or an online style, and configured GeoJSON on it.
// Roads, areas and water are recognised by the names that OpenStreetMap extracts commonly use, so
// that any city's file is drawn calmly without a style of its own.

import type { FilterSpecification, LayerSpecification, SourceSpecification } from 'maplibre-gl';
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
  const sources: Record<string, SourceSpecification> = {};
  const parts: Part[] = [];
  const isPlain = map.style_url === null && map.pmtiles_url === null;
  if (isPlain) sources['graticule'] = { type: 'geojson', data: graticule(city) };
  if (map.pmtiles_url !== null) {
    const url = new URL(map.pmtiles_url, location.href).href;
    sources['tiles'] = { type: 'vector', url: `pmtiles://${url}` };
    for (const name of await layersOf(url)) {
      parts.push({ key: `tiles-${name}`, source: 'tiles', sourceLayer: name });
    }
  }
  map.geojson_urls.forEach((url, index) => {
    const source = `file-${index}`;
    sources[source] = { type: 'geojson', data: new URL(url, location.href).href };
    parts.push({ key: source, source });
  });
  return {
    sources,
    layers: (palette) => [
      // An online style brings its own ground.
      ...(map.style_url === null ? [background(palette)] : []),
      ...(isPlain ? graticuleLayers(palette) : []),
      ...drawParts(parts, palette),
    ],
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
const MAJOR = ['motorway', 'motorway_link', 'trunk', 'trunk_link', 'primary', 'primary_link'];
const MINOR = ['road', 'secondary', 'tertiary', 'minor', 'minor_road', 'service', 'street'];
const WATER = ['water', 'lake', 'river', 'ocean'];
const oneOf = (names: readonly string[]) => ['in', CLASS, ['literal', names]];
const all = (...parts: unknown[]) => ['all', ...parts] as unknown as FilterSpecification;

const IS_MAJOR = [
  'any',
  oneOf([...MAJOR, 'highway', 'major_road']),
  ['==', ['get', 'rank'], 1],
] as unknown as FilterSpecification;
const IS_ROAD = all(GEOMETRY_IS('LineString'), [
  'any',
  HAS_ANY('highway', 'railway'),
  oneOf([...MAJOR, 'highway', 'major_road', ...MINOR]),
]);
const IS_WATER = all(GEOMETRY_IS('Polygon'), [
  'any',
  HAS_ANY('water', 'waterway'),
  ['==', ['get', 'natural'], 'water'],
  oneOf(WATER),
]);
const IS_BUILDING = all(GEOMETRY_IS('Polygon'), ['any', HAS_ANY('building'), oneOf(['building'])]);
const IS_BLOCK = all(GEOMETRY_IS('Polygon'), oneOf(['block', 'residential', 'urban_area']));
/** What is left of the polygons are administrative areas. */
const IS_AREA = all(
  GEOMETRY_IS('Polygon'),
  ['!', IS_WATER],
  ['!', IS_BUILDING],
  ['!', IS_BLOCK],
  ['!', HAS_ANY('landuse', 'leisure')],
);
const NO_AREAS = ['earth', 'landcover', 'landuse', 'water', 'buildings', 'building'];

/** Later parts lie above; within each the order is water, areas, roads, then words. */
function drawParts(parts: readonly Part[], palette: Palette): LayerSpecification[] {
  return [
    ...parts.flatMap((part) => surfaces(part, palette)),
    ...parts.flatMap((part) => roads(part, palette)),
    ...parts.flatMap((part) => names(part, palette)),
  ];
}

function from(part: Part) {
  return part.sourceLayer === undefined
    ? { source: part.source }
    : { source: part.source, 'source-layer': part.sourceLayer };
}

function surfaces(part: Part, palette: Palette): LayerSpecification[] {
  const isWhole = (name: string) => part.sourceLayer === name;
  const fill = (name: string, filter: FilterSpecification, colour: string, minzoom = 0) =>
    ({
      id: `${part.key}-${name}`,
      type: 'fill',
      ...from(part),
      minzoom,
      filter,
      paint: { 'fill-color': colour },
    }) satisfies LayerSpecification;
  const polygon = GEOMETRY_IS('Polygon');
  const layers: LayerSpecification[] = [
    fill('blocks', IS_BLOCK, palette.block),
    fill('water', isWhole('water') ? polygon : IS_WATER, palette.water),
    fill(
      'buildings',
      isWhole('buildings') || isWhole('building') ? polygon : IS_BUILDING,
      palette.building,
      13.5,
    ),
  ];
  if (NO_AREAS.includes(part.sourceLayer ?? '')) return layers;
  return [
    ...layers,
    {
      id: `${part.key}-boundary`,
      type: 'line',
      ...from(part),
      filter: IS_AREA,
      paint: { 'line-color': palette.boundary, 'line-width': 1, 'line-dasharray': [4, 3] },
    },
  ];
}

function roads(part: Part, palette: Palette): LayerSpecification[] {
  const isMajor = IS_MAJOR;
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
      filter: all(IS_AREA, HAS_ANY('nama', 'name')),
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
