// Which screen is shown, kept in the address so that a reload and the browser's back button work.

export const SCREENS = ['operations', 'cameras', 'reports'] as const;
export type Screen = (typeof SCREENS)[number];

export interface Place {
  screen: Screen;
  /** On the cameras' screen: the camera that is open. */
  cameraId: string | null;
  calibrating: boolean;
}

const HOME: Place = { screen: 'operations', cameraId: null, calibrating: false };

export function placeOf(hash: string): Place {
  const [screen, id, what] = hash.replace(/^#\/?/, '').split('/').map(decoded);
  if (screen === 'reports') return { ...HOME, screen };
  if (screen !== 'cameras') return HOME;
  return { screen, cameraId: id || null, calibrating: Boolean(id) && what === 'calibrate' };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Somebody has cut the address in the middle of a character.
    return '';
  }
}

export function hashOf(place: Place): string {
  if (place.screen === 'operations') return '#/';
  if (place.screen === 'reports') return '#/reports';
  const id = place.cameraId === null ? '' : `/${encodeURIComponent(place.cameraId)}`;
  return `#/cameras${id}${id && place.calibrating ? '/calibrate' : ''}`;
}

export class Route {
  place = $state.raw<Place>(HOME);

  constructor() {
    this.read();
  }

  /** Follow the address; returns how to stop. */
  follow(): () => void {
    const read = () => this.read();
    window.addEventListener('hashchange', read);
    return () => window.removeEventListener('hashchange', read);
  }

  go(to: Partial<Place>): void {
    location.hash = hashOf({ ...HOME, ...to });
    this.read();
  }

  private read(): void {
    this.place = placeOf(location.hash);
  }
}
