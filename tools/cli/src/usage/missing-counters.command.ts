import type { MissingCounterView } from '@tidegate/contracts/usage';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { table } from '../output/table.js';
import { at, count, duration } from '../output/time.js';

interface Options extends CommonOptions {
  limit: number;
}

export function usageMissingCounters(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'missing-counters',
    summary: 'Usage that is in no counter, because nobody knows the customer',
    help: 'It is counted by itself once the customer is made here, or is this tenant’s at Stripe (tenant_id in its metadata).\nExit code 2: when there is any.',
  })
    .option('--limit <n>', 'most rows', count, 50)
    .action(
      cli.run(async ({ limit }: Options) => {
        const page = await cli.client.list<MissingCounterView>('/v1/ops/usage/missing-counters', {}, limit);
        cli.show(page, () =>
          page.data.length === 0 ? 'All usage is in a counter.\n' : rows(page.data) + (page.has_more ? 'There are more: --limit.\n' : ''),
        );
        return page.data.length > 0 ? 2 : 0;
      }),
    );
}

const rows = (missing: readonly MissingCounterView[]): string =>
  table(
    ['CUSTOMER', 'TENANT', 'METER', 'EVENTS', 'VALUE', 'FIRST AT', 'WAITS', 'ASKED'],
    missing.map((one) => [
      ...[one.customer, one.tenant, one.meter, one.events, one.value],
      ...[at(one.first_at), duration(one.age_seconds), one.attempts],
    ]),
  );
