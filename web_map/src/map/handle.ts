// What the rest of the console may ask of the map, and the read-only handle `window.siaga`, by
// which end-to-end tests see what the canvas shows (docs/console.md).

import type { Desk } from '../lib/desk.svelte';
import type { LonLat } from '../lib/types';

export interface MapHandle {
  focus(): void;
  showIncident(id: string): void;
  showCamera(id: string): void;
  showPlace(at: LonLat): void;
  /** Fields of view beyond those of the selected incident: of the cameras that see a caller. */
  showViews(cameraIds: readonly string[]): void;
  zoomIn(): void;
  zoomOut(): void;
  home(): void;
}

export interface Mark extends LonLat {
  id: string;
  /** Pixels from the map's upper left corner. */
  x: number;
  y: number;
}

export interface MapView {
  /** False until style, marks and everything gathered are drawn. */
  idle(): boolean;
  zoom(): number;
  incidents(): Mark[];
  callers(): Mark[];
  cameras(): Mark[];
  /** Ids of what is rendered inside the view at this moment. */
  rendered(
    layer: 'incidents' | 'callers' | 'cameras' | 'cameras-watching' | 'region-50' | 'region-90',
  ): string[];
}

export interface TestHandle {
  version: 1;
  map: MapView | null;
  state: {
    readonly seq: number;
    readonly connection: string;
    readonly selectedId: string | null;
    readonly incidents: string[];
    readonly soundsPlayed: number;
  };
}

/** `window.siagaSurvey`: the calibration screen's map, for end-to-end tests. */
export interface SurveyHandle {
  idle(): boolean;
  pixelOf(at: LonLat): { x: number; y: number };
}

/** `window.siagaPlaces`: the reports' map, for end-to-end tests. */
export interface PlacesHandle {
  idle(): boolean;
  rendered(): { squares: number; gaps: number };
}

declare global {
  interface Window {
    siaga?: Readonly<TestHandle>;
    siagaSurvey?: Readonly<SurveyHandle>;
    siagaPlaces?: Readonly<PlacesHandle>;
  }
}

export function exposeHandle(desk: Desk, map: MapView | null): void {
  const { operations } = desk;
  window.siaga = Object.freeze<TestHandle>({
    version: 1,
    map,
    state: Object.freeze({
      get seq() {
        return operations.seq;
      },
      get connection() {
        return desk.connection;
      },
      get selectedId() {
        return operations.selectedId;
      },
      get incidents() {
        return [...operations.incidents.keys()];
      },
      get soundsPlayed() {
        return desk.sound.played;
      },
    }),
  });
}
