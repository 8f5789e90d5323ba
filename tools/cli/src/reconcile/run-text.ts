import type { DiscrepancyView, RunView } from '@tidegate/contracts/responses';
import { facts, table } from '../output/table.js';
import { at, duration } from '../output/time.js';

/** Counted, and no discrepancies. */
export const BESIDE = ['foreign', 'fee_pending', 'usage_not_compared'];

export function runText(run: RunView): string {
  const counted = Object.entries(run.counts).filter(([, count]) => count > 0);
  const named = (wanted: boolean) =>
    counted
      .filter(([name]) => BESIDE.includes(name) !== wanted)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
  const { comparison, progress } = run;
  return facts([
    ['run', run.id],
    ['status', run.status === 'running' ? `running, ${progress.percent} % (${progress.phase.replace('_', ' ')})` : run.status],
    ['made by', run.trigger],
    ['mode', run.mode],
    ['days', `${run.start_date} to ${run.end_date}`],
    ['read', `${progress.pages} pages, ${progress.objects} objects`],
    ['found', named(true) || (run.status === 'succeeded' ? 'nothing' : null)],
    ['left alone', named(false)],
    ['since before', comparison?.previous ? `${comparison.new} new, ${comparison.persisting} persist, ${comparison.gone} gone` : null],
    ['reason', run.reason],
    ['created', at(run.created_at)],
    ['finished', at(run.finished_at)],
  ]);
}

export function rowsText(rows: readonly DiscrepancyView[], hasMore: boolean): string {
  if (rows.length === 0) return '';
  const cells = rows.map((row) => [
    row.class,
    row.payment_id ?? row.local_id,
    row.stripe_id,
    row.local,
    row.remote,
    `${row.state} ${duration(row.age_seconds)}`,
    row.applied ? 'asked for' : (row.proposed_repair ?? 'none'),
    row.applied ? null : row.reason,
  ]);
  const heads = ['CLASS', 'OURS', 'STRIPE', 'LOCAL', 'REMOTE', 'AGE', 'REPAIR', 'WHY NOT'];
  return `\n${table(heads, cells)}${hasMore ? 'There are more: write them to a file with --export-discrepancies.\n' : ''}`;
}
