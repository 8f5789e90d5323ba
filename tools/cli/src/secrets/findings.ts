/** One secret of one process. */
export interface SecretRow {
  service: string;
  instance: string;
  name: string;
  kind: string | null;
  fingerprint: string;
  source: string;
  matches?: boolean;
}

/** Settings that are not the same in every replica of a service: somebody was not restarted, or a file did not arrive. */
export function differing(rows: readonly SecretRow[]): string[] {
  const byPlace = Map.groupBy(rows, (row) => `${row.service}: ${row.name}`);
  return [...byPlace].flatMap(([place, all]) => {
    const sets = [...Map.groupBy(all, (row) => row.instance).values()].map((some) => some.map((row) => row.fingerprint).join(' '));
    return new Set(sets).size > 1 ? [`${place} is not the same in all replicas`] : [];
  });
}
