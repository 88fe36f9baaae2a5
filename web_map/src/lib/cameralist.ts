// The order in which camera admins want to see cameras: what is sick first, then by name.

import { isSick } from './operations.svelte';
import type { CameraView, SiteOutage } from './types';

const byName = new Intl.Collator('id', { numeric: true, sensitivity: 'base' });

export function inOrder(cameras: readonly CameraView[]): CameraView[] {
  return [...cameras].sort(
    (one, other) =>
      Number(isSick(other)) - Number(isSick(one)) ||
      Number(other.camera.enabled) - Number(one.camera.enabled) ||
      byName.compare(one.camera.name, other.camera.name),
  );
}

export function matches({ camera, health }: CameraView, wanted: string): boolean {
  const words = wanted.toLocaleLowerCase('id').split(/\s+/).filter(Boolean);
  const text = [camera.name, camera.id, camera.group, health?.state ?? '']
    .join(' ')
    .toLocaleLowerCase('id');
  return words.every((one) => text.includes(one));
}

/** Cameras of a site that is down stand under their site: one trouble, not one a camera. */
export function foldedOutages(
  outages: readonly SiteOutage[],
  views: readonly CameraView[],
): { sites: { outage: SiteOutage; views: CameraView[] }[]; rest: CameraView[] } {
  const siteOf = new Map(outages.flatMap((one) => one.cameras.map((id) => [id, one.site])));
  const sites = outages
    .map((outage) => ({
      outage,
      views: views.filter((view) => siteOf.get(view.camera.id) === outage.site),
    }))
    .filter((one) => one.views.length > 0);
  return { sites, rest: views.filter((view) => !siteOf.has(view.camera.id)) };
}
