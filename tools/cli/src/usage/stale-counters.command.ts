import type { StaleCounterView } from '@tidegate/contracts/usage';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { table } from '../output/table.js';
import { at, count, durationSeconds } from '../output/time.js';

interface Options extends CommonOptions {
  olderThan?: number;
  limit: number;
}

export function usageStaleCounters(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'stale-counters',
    summary: 'Hours of usage that Stripe is not known to agree with, oldest first',
    help: 'Not reported, or not compared with Stripe, for a day or as long as --older-than says.\nExit code 2: when there are any.',
  })
    .option('--older-than <duration>', 'not reported or compared for so long', durationSeconds)
    .option('--limit <n>', 'most rows', count, 50)
    .action(
      cli.run(async ({ olderThan, limit }: Options) => {
        const page = await cli.client.list<StaleCounterView>('/v1/ops/usage/stale-counters', { older_than: olderThan }, limit);
        cli.show(page, () =>
          page.data.length === 0 ? 'No counter is stale.\n' : rows(page.data) + (page.has_more ? 'There are more: --limit.\n' : ''),
        );
        return page.data.length > 0 ? 2 : 0;
      }),
    );
}

const rows = (stale: readonly StaleCounterView[]): string =>
  table(
    ['CUSTOMER', 'TENANT', 'METER', 'HOUR', 'VALUE', 'UNREPORTED', 'REASON', 'SINCE', 'COMPARED'],
    stale.map((one) => [
      ...[one.customer, one.tenant, one.meter, at(one.hour), one.value, one.unreported_events, one.reason],
      ...[one.unreported_since ? at(one.unreported_since) : '-', one.last_reconciled_at ? at(one.last_reconciled_at) : '-'],
    ]),
  );
