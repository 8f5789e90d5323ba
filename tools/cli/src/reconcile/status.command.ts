import type { ReconciliationStatusView } from '@tidegate/contracts/ops/reconciliation';
import type { DiscrepancyView, RunView } from '@tidegate/contracts/responses';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { type ExitCode, Failure } from '../exit.js';
import { facts } from '../output/table.js';
import { at, duration } from '../output/time.js';
import { rowsText, runText } from './run-text.js';
import { RUNS_OF_ALL } from './runs.command.js';

const MOST_SHOWN = 50;

export function reconcileStatus(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'status',
    summary: 'See how fresh the comparison is, or one run with what it found',
    help: `Exit code 2: no run of days has succeeded for over a day; of a run: it failed or found something.`,
  })
    .argument('[run]', 'its id, rec_…')
    .action(
      cli.run((run: string | undefined, _options: CommonOptions): Promise<ExitCode> =>
        run === undefined ? freshness(cli) : oneRun(cli, run),
      ),
    );
}

async function freshness(cli: Cli): Promise<ExitCode> {
  const status = await cli.client.get<ReconciliationStatusView>('/v1/ops/reconciliation');
  cli.show(status, () =>
    facts([
      ['last success', status.last_success_at === null ? 'never' : `${at(status.last_success_at)}, ${duration(status.age_seconds)} ago`],
      ['overdue', status.overdue ? 'yes: for over a day' : 'no'],
      ['daily', status.cron === null ? 'not by the service' : `${status.cron} (UTC), next at ${at(status.next_at)}`],
      [
        'rolling',
        status.rolling_seconds === 0 ? 'off' : `each ${duration(status.rolling_seconds)}, last at ${at(status.rolling_success_at)}`,
      ],
      ['running', status.running.map((run) => `${run.id} (${run.trigger}) ${run.percent} %`).join(', ') || 'nothing'],
    ]),
  );
  return status.overdue ? 2 : 0;
}

/** A run of every tenant with what it found of all, where the key may see that. */
async function asSeen(cli: Cli, id: string): Promise<{ path: string; run: RunView }> {
  const [own, ofAll] = [`/v1/reconciliation/runs/${id}`, `${RUNS_OF_ALL}/${id}`];
  const seen = (path: string) => cli.client.get<RunView>(path).then((run) => ({ path, run }));
  return seen(ofAll).catch((error: unknown) => {
    if (error instanceof Failure && error.status === 403) return seen(own);
    throw error;
  });
}

async function oneRun(cli: Cli, id: string): Promise<ExitCode> {
  const { path, run } = await asSeen(cli, encodeURIComponent(id));
  const rows = await cli.client.list<DiscrepancyView>(`${path}/discrepancies`, {}, MOST_SHOWN);
  cli.show({ run, ...rows }, () => runText(run) + rowsText(rows.data, rows.has_more));
  return run.status === 'failed' || rows.data.length > 0 ? 2 : 0;
}
