import { SUBSCRIPTION_COMMAND_KINDS, type SubscriptionCommandView } from '@tidegate/contracts/ops/subscription-commands';
import { type Command, Option } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { table } from '../output/table.js';
import { at, count, duration, durationSeconds } from '../output/time.js';

interface Options extends CommonOptions {
  kind?: string;
  olderThan?: number;
  tenant?: string;
  limit: number;
}

export function subscriptionsPending(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'pending',
    summary: 'Requests that are carried on, and why, oldest first',
    help: `TWICE: a lost call made the subscription beside another one, and Tidegate cancels it; nobody waits for an answer.
Exit code 2: with --older-than, when there are any.`,
  })
    .addOption(new Option('--kind <kind>', 'only these').choices([...SUBSCRIPTION_COMMAND_KINDS]))
    .option('--older-than <duration>', 'only those that were accepted so long ago', durationSeconds)
    .option('--tenant <id>', 'only of this tenant')
    .option('--limit <n>', 'most rows', count, 50)
    .action(
      cli.run(async ({ kind, olderThan, tenant, limit }: Options) => {
        const query = { kind, tenant, older_than: olderThan };
        const page = await cli.client.list<SubscriptionCommandView>('/v1/ops/subscription-commands', query, limit);
        cli.show(page, () =>
          page.data.length === 0 ? 'Nothing waits.\n' : rows(page.data) + (page.has_more ? 'There are more: --limit.\n' : ''),
        );
        return olderThan !== undefined && page.data.length > 0 ? 2 : 0;
      }),
    );
}

const rows = (commands: readonly SubscriptionCommandView[]): string =>
  table(
    ['REQUEST', 'TENANT', 'KIND', 'SUBSCRIPTION', 'WAITS FOR', 'SINCE', 'TRIES', 'NEXT', 'ANSWER', 'TWICE'],
    commands.map((one) => [
      ...[one.id, one.tenant, one.kind, one.subscription ?? one.customer, one.reason, duration(one.age_seconds), one.attempt],
      one.in_hand ? 'now' : one.due_at === null ? null : at(one.due_at),
      ...[one.answer_missing ? 'missing' : '-', one.of_orphan ? 'yes' : 'no'],
    ]),
  );
