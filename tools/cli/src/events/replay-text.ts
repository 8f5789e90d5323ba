import type { DifferenceCounts, EventReplayDetail, EventReplayView, RowDifference } from '@tidegate/contracts/ops/event-replays';
import { table } from '../output/table.js';

const SHOWN = 20;

export const total = (counts: DifferenceCounts | null): number => (counts ? counts.missing + counts.extra + counts.different : 0);

/** `1 missing, 2 different`. */
export function countsText(counts: DifferenceCounts | null): string {
  if (!counts) return 'not compared yet';
  const parts = (['missing', 'extra', 'different'] as const).filter((kind) => counts[kind] > 0).map((kind) => `${counts[kind]} ${kind}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

export const progressText = ({ progress: { total: all, read, handled } }: EventReplayView): string =>
  `${read} read, ${handled} handled of ${all} messages`;

/** The first rows that differ. */
export function rowsText({ rows, differences, id }: EventReplayDetail): string {
  if (rows.length === 0) return '';
  const shown = rows.slice(0, SHOWN).map((row) => [row.table, values(row.key), row.kind, rest(row, row.live), rest(row, row.replayed)]);
  const more = total(differences) - shown.length;
  const unseen = more > 0 ? `and ${more} more: tidegate events show ${id} --json has the first thousand\n` : '';
  return table(['TABLE', 'KEY', 'ROW', 'LIVE', 'FROM ITS EVENTS'], shown) + unseen;
}

/** The columns beside the key. */
const rest = ({ key }: RowDifference, row: RowDifference['key'] | null): string | null =>
  values(row && Object.fromEntries(Object.entries(row).filter(([column]) => !(column in key))));

function values(row: RowDifference['key'] | null): string | null {
  if (row === null) return null;
  return Object.entries(row)
    .map(([column, value]) => `${column}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}
