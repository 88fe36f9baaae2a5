// Nouns to GeoJSON features. Pure; each feature carries its id in its properties (`promoteId`).

import type { Feature, Geometry } from 'geojson';
import { latestFix } from '../lib/callers';
import { disc, fixArea, fixPoint } from '../lib/geodesy';
import { isOpen } from '../lib/lifecycle';
import { isSick } from '../lib/operations.svelte';
import { isActive } from '../lib/queue';
import type { Area, Call, CameraView, Incident, LonLat } from '../lib/types';

export type CameraRole = 'idle' | 'watching';

function feature(geometry: Geometry, properties: Record<string, unknown>): Feature {
  return { type: 'Feature', geometry, properties };
}

function point(at: LonLat): Geometry {
  return { type: 'Point', coordinates: [at.lon, at.lat] };
}

/** Signals stay off the map, and so do ended incidents, unless one is being looked at. */
export function isDrawn(incident: Incident, selected: boolean): boolean {
  return (
    selected || isActive(incident) || (isOpen(incident.state) && incident.level === 'candidate')
  );
}

export function incidentFeature(incident: Incident, selected: boolean): Feature {
  const quiet = !isActive(incident);
  const base = `p${incident.priority}`;
  return feature(point(incident.estimate.location), {
    id: incident.id,
    icon: selected ? `${base}-selected` : quiet ? `${base}-quiet` : base,
    // The most urgent lies on top, the selected above all.
    order: selected ? 100 : quiet ? 5 - incident.priority : 20 - incident.priority,
    state: incident.state,
  });
}

export function regionFeatures(incident: Incident, selected: boolean): Feature[] {
  const { region50, region90 } = incident.estimate;
  const common = { priority: incident.priority, selected };
  return [
    feature(region90.area, { ...common, id: `${incident.id}/90`, part: 90 }),
    feature(region50.area, { ...common, id: `${incident.id}/50`, part: 50 }),
  ];
}

export function callerFeatures(
  call: Call,
  selected: boolean,
): { at: Feature; area: Feature } | null {
  const fix = latestFix(call);
  if (fix === null) return null;
  return {
    at: feature(point(fixPoint(fix)), { id: call.id, selected }),
    area: feature(fixArea(fix), { id: call.id, selected }),
  };
}

export function cameraFeature(view: CameraView, role: CameraRole): Feature {
  const { camera } = view;
  const sick = isSick(view);
  const bearing = camera.pose?.bearing_deg ?? null;
  const icon = sick
    ? 'sick'
    : role === 'watching'
      ? 'watching'
      : bearing === null
        ? 'blind'
        : 'idle';
  return feature(point(camera.pose?.position ?? camera.position), {
    id: camera.id,
    name: camera.name,
    icon: `camera-${icon}`,
    role: sick ? 'sick' : role,
    bearing: bearing ?? 0,
  });
}

export function viewFeature(view: CameraView, area: Area): Feature {
  return feature(area, { id: view.camera.id });
}

export function pickFeatures(at: LonLat, radiusM: number): { at: Feature; area: Feature } {
  return {
    at: feature(point(at), { id: 'pick' }),
    area: feature(disc(at, radiusM), { id: 'pick' }),
  };
}
