import type { OperatorEventView } from '@tidegate/contracts/ops/webhook-events';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { table } from '../output/table.js';
import { at, count } from '../output/time.js';
import { type EventOptions, filterOf, withEventOptions } from './event-options.js';

type Options = CommonOptions & EventOptions & { limit: number; unhandled?: true };

export function webhooksList(parent: Command, cli: Cli): void {
  const command = looking(parent, {
    name: 'list',
    summary: "Stripe's events by what became of them, the newest first",
    help: `Examples:
  tidegate webhooks list --status failed --since 24h   what could not be published, or a consumer gave up
  tidegate webhooks list --object pi_…                 all that Stripe told about one payment

received: to be published; published: its consumers have not reported yet; parked: waits for its payment; foreign: none of ours.
Exit code 2: with --status failed or parked, when there are any.`,
  });
  withEventOptions(command)
    .option('--unhandled', 'only those that wait to be published, or of which not every consumer has reported')
    .option('--limit <n>', 'most rows', count, 50)
    .action(
      cli.run(async ({ limit, unhandled, ...options }: Options) => {
        const { ids: _none, ...filter } = filterOf(options);
        const query = { ...filter, ...(unhandled ? { unhandled: 'true' } : {}) };
        const page = await cli.client.list<OperatorEventView>('/v1/ops/webhook-events', query, limit);
        cli.show(page, () =>
          page.data.length === 0 ? 'There are none.\n' : rows(page.data) + (page.has_more ? 'There are more: --limit.\n' : ''),
        );
        return (options.status === 'failed' || options.status === 'parked') && page.data.length > 0 ? 2 : 0;
      }),
    );
}

const rows = (events: readonly OperatorEventView[]): string =>
  table(
    ['EVENT', 'TYPE', 'TENANT', 'OBJECT', 'CREATED', 'CAME BY', 'STATUS', 'WHY'],
    events.map((one) => [
      ...[one.id, one.type, one.tenant, one.object_id, at(new Date(one.created * 1000).toISOString())],
      ...[one.source, one.status, one.error],
    ]),
  );
