// A key's scopes as a table: a thing a line, reading and changing beside it.

export interface ScopeRow {
  thing: string;
  read: string | null;
  write: string | null;
}

export function scopeRows(known: readonly string[]): ScopeRow[] {
  const rows = new Map<string, ScopeRow>();
  for (const scope of [...known].sort()) {
    const [thing = scope, kind] = scope.split(':');
    const row = rows.get(thing) ?? { thing, read: null, write: null };
    if (kind === 'read') row.read = scope;
    if (kind === 'write') row.write = scope;
    rows.set(thing, row);
  }
  return [...rows.values()];
}
