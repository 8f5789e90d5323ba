import type { RunView } from '@tidegate/contracts/responses';
import { type Command, Option } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { table } from '../output/table.js';
import { BESIDE } from './run-text.js';
import { at, count } from '../output/time.js';

interface Options extends CommonOptions {
  status?: string;
  trigger?: string;
  everyTenant?: true;
  limit: number;
}

const RUNS = '/v1/reconciliation/runs';
export const RUNS_OF_ALL = '/v1/ops/reconciliation/runs';
const HEADS = ['RUN', 'MADE BY', 'STATUS', 'MODE', 'DAYS', 'FOUND', 'CREATED', 'FINISHED'];

export function reconcileRuns(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'runs',
    summary: 'List runs, newest first',
    help: 'Exit code 2: one of them failed.',
  })
    .addOption(new Option('--status <status>', 'only these').choices(['running', 'succeeded', 'failed']))
    .addOption(new Option('--trigger <trigger>', 'only those made so').choices(['operator', 'daily', 'rolling']))
    .option(
      '--every-tenant',
      'those of every tenant, as the daily run is, with what they found of all; else what the tenant of the key may see',
    )
    .option('--limit <rows>', 'how many', count, 20)
    .action(
      cli.run(async ({ status, trigger, everyTenant, limit }: Options) => {
        const list = await cli.client.list<RunView>(everyTenant ? RUNS_OF_ALL : RUNS, { status, trigger }, limit);
        cli.show(list, () =>
          list.data.length === 0
            ? 'There are no such runs.'
            : table(HEADS, list.data.map(cells)) + (list.has_more ? 'There are more; see --limit.\n' : ''),
        );
        return list.data.some((run) => run.status === 'failed') ? 2 : 0;
      }),
    );
}

function cells(run: RunView): (string | number | null)[] {
  const found = Object.entries(run.counts).filter(([name]) => !BESIDE.includes(name));
  const sum = run.status === 'succeeded' ? found.reduce((total, [, n]) => total + n, 0) : null;
  const days = run.start_date === run.end_date ? run.start_date : `${run.start_date} to ${run.end_date}`;
  return [run.id, run.trigger, run.status, run.mode, days, sum, at(run.created_at), at(run.finished_at)];
}
