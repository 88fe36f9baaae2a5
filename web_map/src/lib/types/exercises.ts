// What the simulated city plays, and how exercises went.

export interface ExerciseState {
  /** Whether there has been a simulated city at all. */
  city: boolean;
  is_playing: boolean;
  /** Empty for the city's everyday, which isn't recorded. */
  exercise_id: string;
  name: string;
  title: string;
  judul: string;
  asked_by: string;
  started_at: string | null;
  /** Null where it goes round and round. */
  ends_at: string | null;
}

export interface Scenario {
  name: string;
  title: string;
  judul: string;
  seconds: number;
  cameras: number;
  events: number;
  conditions: string;
}

export interface Trainee {
  name: string;
  acknowledged: number;
  acknowledged_s: number | null;
  verified: number;
  verified_s: number | null;
  dispatched: number;
  dispatched_s: number | null;
  right: number;
  believed: number;
  dismissed: number;
}

export interface ScoredEvent {
  id: string;
  kind: string;
  hazard: string | null;
  starts_s: number;
  found: boolean;
  by: 'cameras' | 'calls' | 'both' | 'nobody';
  shown_after_s: number | null;
  alarmed_after_s: number | null;
  place_error_m: number | null;
  in_region: Record<'50' | '90' | '95', boolean | null>;
  hazard_is_right: boolean | null;
  duplicates: number;
}

export interface InVain {
  id: string;
  hazard: string;
  probability: number;
  alarmed: boolean;
  mistaken_for: string | null;
}

export interface Totals {
  events: number;
  found: number;
  found_once: number;
  duplicates: number;
  in95: number;
  false_alarms: number;
  false_candidates: number;
  false_calls: number;
  signals: number;
}

export interface ExerciseSummary {
  id: string;
  scenario: string;
  title: string;
  judul: string;
  seed: number;
  asked_by: string;
  started_at: string;
  ended_at: string;
  totals: Totals;
  operators: {
    acknowledged_s: number | null;
    verified_s: number | null;
    dispatched_s: number | null;
    untouched: number;
  };
  trainees: Trainee[];
}

export interface Exercise extends ExerciseSummary {
  score: { seconds: number; events: ScoredEvent[]; in_vain: InVain[]; false_calls: InVain[] };
}

export interface ExerciseList {
  scenarios: Scenario[];
  exercises: ExerciseSummary[];
}
