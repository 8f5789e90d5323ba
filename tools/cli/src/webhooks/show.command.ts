import type { OperatorEventDetail } from '@tidegate/contracts/ops/webhook-events';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { facts, table } from '../output/table.js';
import { at } from '../output/time.js';

export function webhooksShow(parent: Command, cli: Cli): void {
  looking(parent, { name: 'show', summary: 'One event: how it came, what each consumer made of it, what it says' })
    .argument('<id>', 'evt_…')
    .action(
      cli.run(async (id: string, _options: CommonOptions) => {
        const event = await cli.client.get<OperatorEventDetail>(`/v1/ops/webhook-events/${encodeURIComponent(id)}`);
        cli.show(event, () => human(event));
        return 0;
      }),
    );
}

function human(event: OperatorEventDetail): string {
  const head = facts([
    ['event', event.id],
    ['type', event.type],
    ['object', event.object_id],
    ['tenant', event.tenant],
    ['account', event.account],
    ['version', event.api_version],
    ['created', at(new Date(event.created * 1000).toISOString())],
    ['received', `${at(event.received_at)} by ${event.source}`],
    ['published', event.published_at === null ? null : `${at(event.published_at)} (${event.attempts} attempts)`],
    ['status', event.status],
    ['why', event.error],
    ['tried again', event.retry_at === null ? null : at(event.retry_at)],
    ['replay', event.replay],
  ]);
  const outcomes = event.outcomes.map((one) => [one.consumer, one.outcome, at(one.at), one.reason]);
  const reports = outcomes.length === 0 ? 'No consumer has reported.\n' : table(['CONSUMER', 'OUTCOME', 'AT', 'WHY'], outcomes);
  return `${head}\n${reports}\n${event.event === null ? 'What Stripe sent cannot be read.' : JSON.stringify(event.event, null, 2)}\n`;
}
