// What an admin types about a camera, and the camera that it describes.

import type { MessageKey } from '../i18n';
import type { Camera, CameraFields, CameraPose, OnvifHead } from './types';

export interface CameraDraft {
  name: string;
  url: string;
  username: string;
  password: string;
  anyCertificate: boolean;
  group: string;
  enabled: boolean;
  exercise: boolean;
  lon: number | null;
  lat: number | null;
  height_m: number | null;
  bearing_deg: number | null;
  tilt_deg: number | null;
  hfov_deg: number | null;
  range_m: number | null;
  wide_hfov_deg: number | null;
  tele_hfov_deg: number | null;
  /** Whether the camera itself is asked where it points. */
  asksHead: boolean;
  onvif_port: number | null;
  onvif_profile: string;
  pan_from_deg: number | null;
  pan_to_deg: number | null;
  tilt_from_deg: number | null;
  tilt_to_deg: number | null;
}

export type NumberName = {
  [K in keyof CameraDraft]: CameraDraft[K] extends number | null ? K : never;
}[keyof CameraDraft];

export interface NumberField {
  name: NumberName;
  label: MessageKey;
  /** The server's name of it in its errors. */
  error: string;
  required: boolean;
}

const field = (name: NumberName, label: MessageKey, error: string, required = false) =>
  ({ name, label, error, required }) satisfies NumberField;

export const FIELDS: readonly NumberField[] = [
  field('lat', 'cams.lat', 'position.lat', true),
  field('lon', 'cams.lon', 'position.lon', true),
  field('height_m', 'cams.height', 'pose.height_m'),
  field('bearing_deg', 'cams.bearing', 'pose.bearing_deg'),
  field('tilt_deg', 'cams.tilt', 'pose.tilt_deg'),
  field('hfov_deg', 'cams.hfov', 'pose.hfov_deg'),
  field('range_m', 'cams.range', 'pose.range_m'),
];

/** Of a camera that turns. */
export const ZOOM_FIELDS: readonly NumberField[] = [
  field('wide_hfov_deg', 'cams.wide', 'head.wide_hfov_deg', true),
  field('tele_hfov_deg', 'cams.tele', 'head.tele_hfov_deg', true),
];

/** Of one that is asked itself where it points. */
export const HEAD_FIELDS: readonly NumberField[] = [
  field('pan_from_deg', 'cams.head.panFrom', 'head.onvif.pan_deg', true),
  field('pan_to_deg', 'cams.head.panTo', 'head.onvif.pan_deg', true),
  field('tilt_from_deg', 'cams.head.tiltFrom', 'head.onvif.tilt_deg', true),
  field('tilt_to_deg', 'cams.head.tiltTo', 'head.onvif.tilt_deg', true),
  field('onvif_port', 'cams.head.port', 'head.onvif.port', true),
];

const PICTURE = { width_px: 1280, height_px: 720 };
const USUAL_RANGE_M = 150;
const USUAL_HEAD: OnvifHead = { port: 80, profile: '', pan_deg: [-180, 180], tilt_deg: [-90, 90] };

export function draftOf(camera: Camera | null, exercise: boolean): CameraDraft {
  const pose = camera?.pose ?? null;
  const onvif = camera?.head?.onvif ?? USUAL_HEAD;
  return {
    name: camera?.name ?? '',
    url: camera?.url ?? '',
    username: '',
    password: '',
    anyCertificate: camera?.any_certificate ?? false,
    group: camera?.group ?? '',
    enabled: camera?.enabled ?? true,
    exercise: camera?.exercise ?? exercise,
    lon: camera?.position.lon ?? null,
    lat: camera?.position.lat ?? null,
    height_m: pose?.height_m ?? null,
    bearing_deg: pose?.bearing_deg ?? null,
    tilt_deg: pose?.tilt_deg ?? null,
    hfov_deg: pose?.hfov_deg ?? null,
    range_m: pose?.range_m ?? null,
    wide_hfov_deg: camera?.head?.wide_hfov_deg ?? null,
    tele_hfov_deg: camera?.head?.tele_hfov_deg ?? null,
    asksHead: camera?.head?.onvif != null,
    onvif_port: onvif.port,
    onvif_profile: onvif.profile,
    pan_from_deg: onvif.pan_deg[0],
    pan_to_deg: onvif.pan_deg[1],
    tilt_from_deg: onvif.tilt_deg[0],
    tilt_to_deg: onvif.tilt_deg[1],
  };
}

/**
 * The request. A camera whose view nobody has described has no pose; one that is half described
 * gets usual figures for the rest, to be calibrated. A user or password that was left empty stays
 * as it is stored.
 */
export function fieldsOf(draft: CameraDraft, before: Camera | null): CameraFields {
  const position = { lon: draft.lon ?? 0, lat: draft.lat ?? 0 };
  return {
    name: draft.name.trim(),
    url: draft.url.trim(),
    position,
    pose: poseOf(draft, before),
    head: headOf(draft),
    any_certificate: draft.anyCertificate,
    group: draft.group.trim(),
    enabled: draft.enabled,
    exercise: draft.exercise,
    // Drawn elsewhere: what isn't sent would be taken away.
    road_region: before?.road_region ?? null,
    ...(draft.username === '' ? {} : { username: draft.username }),
    ...(draft.password === '' ? {} : { password: draft.password }),
  };
}

function headOf(draft: CameraDraft): CameraFields['head'] {
  const { wide_hfov_deg, tele_hfov_deg } = draft;
  if (wide_hfov_deg === null || tele_hfov_deg === null) return null;
  const onvif = {
    port: draft.onvif_port ?? USUAL_HEAD.port,
    profile: draft.onvif_profile.trim(),
    pan_deg: [draft.pan_from_deg ?? 0, draft.pan_to_deg ?? 0] as [number, number],
    tilt_deg: [draft.tilt_from_deg ?? 0, draft.tilt_to_deg ?? 0] as [number, number],
  };
  return { wide_hfov_deg, tele_hfov_deg, onvif: draft.asksHead ? onvif : null };
}

function poseOf(draft: CameraDraft, before: Camera | null): CameraPose | null {
  const { height_m, bearing_deg, tilt_deg, hfov_deg, range_m } = draft;
  if (height_m === null && bearing_deg === null && tilt_deg === null && hfov_deg === null) {
    return null;
  }
  const old = before?.pose ?? null;
  const isOld =
    old !== null &&
    before?.position.lon === draft.lon &&
    before.position.lat === draft.lat &&
    old.height_m === height_m &&
    old.bearing_deg === bearing_deg &&
    old.tilt_deg === tilt_deg &&
    old.hfov_deg === hfov_deg;
  // A fitted pose keeps its errors, as long as nobody overwrites a figure of it.
  if (isOld) return { ...old, range_m: range_m ?? old.range_m };
  return {
    position: { lon: draft.lon ?? 0, lat: draft.lat ?? 0 },
    height_m: height_m ?? 8,
    bearing_deg: bearing_deg ?? 0,
    tilt_deg: tilt_deg ?? -15,
    hfov_deg: hfov_deg ?? 60,
    roll_deg: 0,
    width_px: old?.width_px ?? PICTURE.width_px,
    height_px: old?.height_px ?? PICTURE.height_px,
    range_m: range_m ?? USUAL_RANGE_M,
    bearing_sigma_deg: bearing_deg === null ? 90 : 4,
  };
}

/**
 * What was typed, on the camera as somebody else has changed it meanwhile: a field that was left as
 * it stood becomes what it is now, and one that was changed stays as it was typed.
 */
export function rebased(draft: CameraDraft, before: Camera, now: Camera): CameraDraft {
  const stood = draftOf(before, before.exercise);
  const touched = Object.entries(draft).filter(
    ([name, value]) => value !== stood[name as keyof CameraDraft],
  );
  return { ...draftOf(now, now.exercise), ...Object.fromEntries(touched) };
}

/** The camera as it stands, to send it back with one thing changed. */
export function asFields(camera: Camera): CameraFields {
  return fieldsOf(draftOf(camera, camera.exercise), camera);
}
