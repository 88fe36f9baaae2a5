// The nouns as the server sends them (the JSON form of its contracts) and the answers that carry them.

export * from './calibration';
export * from './calls';
export * from './cameras';
export * from './desk';
export * from './evidence';
export * from './feed';
export * from './hazards';
export * from './incidents';
export * from './places';
export * from './routing';
export * from './session';
