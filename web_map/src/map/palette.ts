// The map's colours, as MapLibre wants them: it reads no style sheet.

import type { Theme } from '../lib/preferences.svelte';
import type { Priority } from '../lib/types';

export interface Palette {
  ground: string;
  water: string;
  green: string;
  road: string;
  roadMinor: string;
  building: string;
  block: string;
  boundary: string;
  graticule: string;
  placeText: string;
  roadText: string;
  text: string;
  halo: string;
  camera: string;
  sick: string;
  teal: string;
  caller: string;
  onMark: string;
  priority: Record<Priority, string>;
}

export const PALETTES: Record<Theme, Palette> = {
  night: {
    ground: '#10171d',
    water: '#0c1c28',
    green: '#121d1f',
    road: '#2b3742',
    roadMinor: '#212c36',
    building: '#1a242d',
    block: '#131b22',
    boundary: '#34424e',
    graticule: '#172028',
    placeText: '#8595a3',
    roadText: '#7c8b98',
    text: '#d5dee6',
    halo: '#10171d',
    camera: '#a9b7c3',
    sick: '#7d8d9a',
    teal: '#3fb8c9',
    caller: '#6aa6ff',
    onMark: '#10171d',
    priority: { 1: '#ff5a52', 2: '#ff9f2e', 3: '#f2d14b', 4: '#6aa6ff' },
  },
  day: {
    ground: '#e6ecef',
    water: '#cfe0ea',
    green: '#dde8e2',
    road: '#ffffff',
    roadMinor: '#f3f6f8',
    building: '#d6dfe5',
    block: '#eaeff2',
    boundary: '#b3c0ca',
    graticule: '#dae2e7',
    placeText: '#5d707e',
    roadText: '#6b7d8a',
    text: '#14202a',
    halo: '#f4f7f9',
    camera: '#455764',
    sick: '#74858f',
    teal: '#0b7f92',
    caller: '#2166cc',
    onMark: '#ffffff',
    priority: { 1: '#d92c23', 2: '#b96300', 3: '#8a6f00', 4: '#2166cc' },
  },
};
