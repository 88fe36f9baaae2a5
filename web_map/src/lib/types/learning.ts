// What fusion has learnt, and the models that watch.

export interface LearntFigure {
  name: string;
  /** Empty while there is too little data; pairs, flattened, for `existence`. */
  value: number[];
  assumed: number[];
  samples: number;
  learnt_at: string;
  since: string | null;
  frozen: boolean;
}

export interface ModelFigure {
  hazard: string;
  operating_point: number | null;
  recall: number | null;
  recall_95: [number, number] | null;
  fpr: number | null;
  fpr_95: [number, number] | null;
}

export interface ModelFacts {
  /** What it is used as: detector, flood, crash or shadow. */
  part: string;
  name: string;
  version: string;
  input_size_px: number;
  figures: ModelFigure[];
  /** Markdown. */
  card: string;
  workers: string[];
}

export interface ShadowRow {
  hazard: string;
  both: number;
  live_only: number;
  shadow_only: number;
  neither: number;
  live_alarms: number;
  shadow_alarms: number;
  agreement: number | null;
}

export interface ShadowComparison {
  live: string;
  shadow: string;
  pictures: number;
  camera_s: number;
  rows: ShadowRow[];
}

export interface Promotion {
  live: string;
  candidate: string;
  at: string;
  promoted: boolean;
  losses: { hazard: string; measure: string; live: number; candidate: number }[];
}

export interface ModelsReport {
  models: ModelFacts[];
  shadows: ShadowComparison[];
  promotions: Promotion[];
}
