import type { RetryView } from '@tidegate/contracts/ops/retries';
import { PAYMENT_STATUSES } from '@tidegate/contracts/payment';
import { type Command, Option } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { table } from '../output/table.js';
import { at, count, duration, durationSeconds } from '../output/time.js';

interface Options extends CommonOptions {
  status?: string;
  olderThan?: number;
  limit: number;
}

export function retriesList(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'list',
    summary: 'What waits and why, longest first',
    help: 'Exit code 2: with --older-than, when there are any.',
  })
    .addOption(new Option('--status <status>', 'only payments in this status').choices([...PAYMENT_STATUSES]))
    .option('--older-than <duration>', 'only those that have waited for so long', durationSeconds)
    .option('--limit <n>', 'most rows', count, 50)
    .action(
      cli.run(async ({ status, olderThan, limit }: Options) => {
        const page = await cli.client.list<RetryView>('/v1/ops/retries', { status, older_than: olderThan }, limit);
        cli.show(page, () =>
          page.data.length === 0 ? 'Nothing waits.\n' : rows(page.data) + (page.has_more ? 'There are more: --limit.\n' : ''),
        );
        return olderThan !== undefined && page.data.length > 0 ? 2 : 0;
      }),
    );
}

const rows = (retries: readonly RetryView[]): string =>
  table(
    ['PAYMENT', 'TENANT', 'STATUS', 'WAITS FOR', 'SINCE', 'TRIES', 'NEXT', 'SENT'],
    retries.map((one) => [
      ...[one.payment_id, one.tenant, one.status, one.reason, duration(one.age_seconds), one.attempt],
      ...[one.in_hand ? 'now' : at(one.due_at), one.unsent ? 'no' : 'perhaps'],
    ]),
  );
