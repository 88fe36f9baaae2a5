// Who is signed in, and what the installation is.

export interface User {
  username: string;
  display_name: string;
  role: string;
}

export interface SignInWays {
  oidc_name: string | null;
}

export interface City {
  name: string;
  lon: number;
  lat: number;
  radius_m: number;
  timezone: string;
}

export interface MapConfig {
  style_url: string | null;
  pmtiles_url: string | null;
  geojson_urls: string[];
  attribution: string;
  zoom: number;
}

export interface Config {
  version: string;
  city: City;
  map: MapConfig;
  exercise: boolean;
}
