// Which layers a PMTiles file holds, by its metadata.

/**
 * The ids of the vector layers. The specification puts `vector_layers` at the top; files that were
 * converted from MBTiles often keep it as JSON text under `json`.
 */
export function vectorLayerIds(metadata: unknown): string[] {
  const listed = layersIn(metadata);
  if (listed !== null) return listed;
  const text = isRecord(metadata) ? metadata['json'] : undefined;
  if (typeof text !== 'string') return [];
  try {
    return layersIn(JSON.parse(text)) ?? [];
  } catch {
    // Broken metadata names no layers; the map then says that nothing is known of the file.
    return [];
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function layersIn(value: unknown): string[] | null {
  const layers = isRecord(value) ? value['vector_layers'] : undefined;
  if (!Array.isArray(layers)) return null;
  return layers.flatMap((layer: unknown) =>
    isRecord(layer) && typeof layer['id'] === 'string' ? [layer['id']] : [],
  );
}
