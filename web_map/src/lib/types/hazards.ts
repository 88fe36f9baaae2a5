// The kinds of incidents, in the order in which they are offered.

export const HAZARDS = ['fire', 'crash', 'flood', 'disaster', 'medical', 'crime', 'other'] as const;
export type Hazard = (typeof HAZARDS)[number];
