// The plain background's lines of longitude and latitude: scale and orientation without a basemap.

import type { Feature, FeatureCollection } from 'geojson';
import type { City } from '../lib/types';

/** About 1.1 km; where a whole region is watched, ten times that. */
const FINE_DEG = 0.01;
const COARSE_DEG = 0.1;
const COARSE_FROM_DEG = 1;
/** Every fifth line is drawn from afar. */
const MAJOR = 5;
const METRES_PER_DEGREE = 111_195;

export function graticule(city: Pick<City, 'lon' | 'lat' | 'radius_m'>): FeatureCollection {
  const reachLat = city.radius_m / METRES_PER_DEGREE;
  const reachLon = reachLat / Math.cos((city.lat * Math.PI) / 180);
  const step = reachLon > COARSE_FROM_DEG ? COARSE_DEG : FINE_DEG;
  const west = Math.floor((city.lon - reachLon) / step);
  const east = Math.ceil((city.lon + reachLon) / step);
  const south = Math.floor((city.lat - reachLat) / step);
  const north = Math.ceil((city.lat + reachLat) / step);
  const features: Feature[] = [];
  for (let i = west; i <= east; i += 1) {
    features.push(
      line(i, [
        [i * step, south * step],
        [i * step, north * step],
      ]),
    );
  }
  for (let i = south; i <= north; i += 1) {
    features.push(
      line(i, [
        [west * step, i * step],
        [east * step, i * step],
      ]),
    );
  }
  return { type: 'FeatureCollection', features };
}

function line(index: number, coordinates: [number, number][]): Feature {
  return {
    type: 'Feature',
    geometry: { type: 'LineString', coordinates },
    properties: { major: index % MAJOR === 0 },
  };
}
