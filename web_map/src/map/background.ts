// Opens the configured background; a broken one is told and replaced by the plain one.

import { addProtocol } from 'maplibre-gl';
import { PMTiles, Protocol } from 'pmtiles';
import type { Config } from '../lib/types';
import { chooseBasemap, type Basemap } from './basemap';
import { vectorLayerIds } from './tileinfo';

const protocol = new Protocol();
addProtocol('pmtiles', protocol.tile);

async function vectorLayers(url: string): Promise<string[]> {
  const file = new PMTiles(url);
  protocol.add(file);
  const layers = vectorLayerIds(await file.getMetadata());
  if (layers.length === 0) throw new Error(`${url}: its metadata lists no vector layers`);
  return layers;
}

/** The configured background, or the plain one with a word about what is wrong with it. */
export async function findBasemap(
  config: Config,
  onproblem: (what: string) => void,
): Promise<Basemap> {
  try {
    return await chooseBasemap(config, vectorLayers);
  } catch (error) {
    onproblem(error instanceof Error ? error.message : String(error));
    return chooseBasemap({ ...config, map: { ...config.map, pmtiles_url: null } }, vectorLayers);
  }
}
