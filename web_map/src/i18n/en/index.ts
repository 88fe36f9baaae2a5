// English.

import type { Dictionary } from '../id';
import { calibration } from './calibration';
import { calls } from './calls';
import { cameras } from './cameras';
import { operations } from './operations';
import { reports } from './reports';
import { shell } from './shell';
import { video } from './video';
import { words } from './words';

export const en: Dictionary = {
  ...calibration,
  ...calls,
  ...cameras,
  ...operations,
  ...reports,
  ...shell,
  ...video,
  ...words,
};
