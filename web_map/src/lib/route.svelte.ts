// Which screen is shown, kept in the address so that a reload and the browser's back button work.

export const SCREENS = ['operations', 'wall', 'cameras', 'reports', 'exercises', 'admin'] as const;
export type Screen = (typeof SCREENS)[number];

export interface Place {
  screen: Screen;
  /** On the cameras' screen: the camera that is open. */
  cameraId: string | null;
  calibrating: boolean;
  /** On other screens: the tab, or the thing that is open. */
  part: string | null;
}

const HOME: Place = { screen: 'operations', cameraId: null, calibrating: false, part: null };
const IN_PARTS: readonly Screen[] = ['reports', 'exercises', 'admin'];

export function placeOf(hash: string): Place {
  const [name, id, what] = hash.replace(/^#\/?/, '').split('/').map(decoded);
  const screen = SCREENS.find((one) => one === name);
  if (screen === undefined) return HOME;
  if (IN_PARTS.includes(screen)) return { ...HOME, screen, part: id || null };
  if (screen !== 'cameras') return { ...HOME, screen };
  return {
    ...HOME,
    screen,
    cameraId: id || null,
    calibrating: Boolean(id) && what === 'calibrate',
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Somebody has cut the address in the middle of a character.
    return '';
  }
}

export function hashOf(to: Partial<Place>): string {
  const { screen, cameraId, calibrating, part } = { ...HOME, ...to };
  if (screen === 'operations') return '#/';
  const within = screen === 'cameras' ? cameraId : part;
  const id = within === null ? '' : `/${encodeURIComponent(within)}`;
  return `#/${screen}${id}${id && calibrating ? '/calibrate' : ''}`;
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
    location.hash = hashOf(to);
    this.read();
  }

  private read(): void {
    this.place = placeOf(location.hash);
  }
}
