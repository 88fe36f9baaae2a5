// What one person at one desk prefers, kept in this browser: theme, language, single-letter keys.

import { isLanguage, type Language } from '../i18n';

export type ThemeChoice = 'system' | 'day' | 'night';
export type Theme = 'day' | 'night';

const PREFIX = 'siaga.';

function recall(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    // Storage may be forbidden; a preference then lasts until the page is closed.
    return null;
  }
}

function remember(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    return;
  }
}

class Preferences {
  themeChoice = $state<ThemeChoice>('system');
  systemTheme = $state<Theme>('night');
  language = $state<Language>('id');
  /** WCAG 2.1.4: keys without a modifier can be turned off. */
  letterKeys = $state(true);
  /** Whether an alarm's best view plays by itself when it is looked at. */
  playsVideo = $state(true);

  constructor() {
    const theme = recall('theme');
    if (theme === 'day' || theme === 'night') this.themeChoice = theme;
    const language = recall('language');
    if (language !== null && isLanguage(language)) this.language = language;
    this.letterKeys = recall('letterKeys') !== 'off';
    this.playsVideo = recall('playsVideo') !== 'off';
    this.followSystem();
  }

  get theme(): Theme {
    return this.themeChoice === 'system' ? this.systemTheme : this.themeChoice;
  }

  setPlaysVideo(plays: boolean): void {
    this.playsVideo = plays;
    remember('playsVideo', plays ? 'on' : 'off');
  }

  setTheme(choice: ThemeChoice): void {
    this.themeChoice = choice;
    remember('theme', choice);
  }

  /** The other theme; choosing what the system shows goes back to following it. */
  toggleTheme(): void {
    const other: Theme = this.theme === 'day' ? 'night' : 'day';
    this.setTheme(other === this.systemTheme ? 'system' : other);
  }

  setLanguage(language: Language): void {
    this.language = language;
    remember('language', language);
  }

  toggleLanguage(): void {
    this.setLanguage(this.language === 'id' ? 'en' : 'id');
  }

  setLetterKeys(on: boolean): void {
    this.letterKeys = on;
    remember('letterKeys', on ? 'on' : 'off');
  }

  private followSystem(): void {
    const query = globalThis.matchMedia?.('(prefers-color-scheme: light)');
    if (!query) return;
    this.systemTheme = query.matches ? 'day' : 'night';
    query.addEventListener('change', (event) => {
      this.systemTheme = event.matches ? 'day' : 'night';
    });
  }
}

export const preferences = new Preferences();

export function prefersReducedMotion(): boolean {
  return globalThis.matchMedia?.('(prefers-reduced-motion: reduce)').matches ?? false;
}
