// English.

import type { Dictionary } from '../id';
import { admin } from './admin';
import { calibration } from './calibration';
import { calls } from './calls';
import { cameras } from './cameras';
import { deliveries } from './deliveries';
import { exercises } from './exercises';
import { operations } from './operations';
import { reports } from './reports';
import { shell } from './shell';
import { video } from './video';
import { words } from './words';

export const en: Dictionary = {
  ...admin,
  ...calibration,
  ...calls,
  ...cameras,
  ...deliveries,
  ...exercises,
  ...operations,
  ...reports,
  ...shell,
  ...video,
  ...words,
};
