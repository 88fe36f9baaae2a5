// The MapLibre map that every screen's map stands on: loaded apart from the first screen, since
// MapLibre is larger than all the rest.

import 'maplibre-gl/dist/maplibre-gl.css';
import './controls.css';
import {
  AttributionControl,
  Map as LibreMap,
  ScaleControl,
  setWorkerUrl,
  type LayerSpecification,
} from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import type { Feature, FeatureCollection } from 'geojson';
import type { Area, Config, LonLat } from '../lib/types';
import { FONT_FACES, type Basemap } from './basemap';

setWorkerUrl(new URL(workerUrl, location.href).href);

export interface Looking {
  centre: LonLat;
  zoom: number;
  maxZoom: number;
}

/** A flat map that north stays up on, with its scale and whose data it is. `onstyle` is called when
 * its style has loaded; a background that can't be had is told, and is no reason to stop. */
export function stageMap(
  element: HTMLElement,
  config: Config,
  { centre, zoom, maxZoom }: Looking,
  onstyle: () => void,
  onproblem: (what: string) => void,
): LibreMap {
  const map = new LibreMap({
    container: element,
    center: [centre.lon, centre.lat],
    zoom,
    maxZoom,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    // A fade draws the whole map a dozen times for each mark that comes or goes.
    fadeDuration: 0,
  });
  map.setStyle(config.map.style_url ?? { version: 8, sources: {}, layers: [] }, {
    transformStyle: (_, next) => ({
      ...next,
      'font-faces': { ...next['font-faces'], ...FONT_FACES },
    }),
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new ScaleControl({ maxWidth: 110, unit: 'metric' }), 'bottom-left');
  map.addControl(
    new AttributionControl({ compact: false, customAttribution: config.map.attribution }),
    'bottom-right',
  );
  map.on('style.load', onstyle);
  map.on('error', (event) => onproblem(event.error.message));
  return map;
}

/** Give layers that are there the colours of another theme. */
export function repaint(map: LibreMap, layers: readonly LayerSpecification[]): void {
  for (const layer of layers) {
    for (const [name, value] of Object.entries(layer.paint ?? {})) {
      map.setPaintProperty(layer.id, name as never, value as never, { validate: false });
    }
  }
}

/** Put the background, empty sources and layers on a map whose style has loaded. */
export function furnish(
  map: LibreMap,
  basemap: Basemap,
  sources: readonly string[],
  layers: readonly LayerSpecification[],
): void {
  for (const [name, source] of Object.entries(basemap.sources)) map.addSource(name, source);
  for (const name of sources) map.addSource(name, { type: 'geojson', data: collection([]) });
  for (const layer of layers) map.addLayer(layer);
}

export function collection(features: Feature[]): FeatureCollection {
  return { type: 'FeatureCollection', features };
}

export function areaFeature(area: Area, properties: Record<string, unknown> = {}): Feature {
  return { type: 'Feature', properties, geometry: area as Feature['geometry'] };
}
