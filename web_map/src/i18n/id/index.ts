// Indonesian, the language of the desk, by screen. Every key stands here first; English follows it.

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

export const id = {
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

export type MessageKey = keyof typeof id;
export type Dictionary = Record<MessageKey, string>;
