// Where things are: longitude before latitude, as GeoJSON has it.

export interface LonLat {
  lon: number;
  lat: number;
}

export type Area =
  | { type: 'Polygon'; coordinates: [number, number][][] }
  | { type: 'MultiPolygon'; coordinates: [number, number][][][] };

export interface Region {
  area: Area;
  confidence: number;
}

export interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}
