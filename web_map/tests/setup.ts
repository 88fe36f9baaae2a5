// All test files share one page: what one chose must not be found by the next.

import { beforeEach } from 'vitest';
import { preferences } from '../src/lib/preferences.svelte';

beforeEach(() => {
  localStorage.clear();
  preferences.language = 'id';
  preferences.themeChoice = 'system';
  preferences.letterKeys = true;
  preferences.playsVideo = true;
});
