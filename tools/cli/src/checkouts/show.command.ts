import type { OperatorCheckoutView } from '@tidegate/contracts/ops/checkouts';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { money } from '../output/money.js';
import { facts } from '../output/table.js';
import { at, duration } from '../output/time.js';

export function checkoutsShow(parent: Command, cli: Cli): void {
  looking(parent, { name: 'show', summary: 'One checkout: how it stands, and what waits' })
    .argument('<id>', 'cks_…')
    .action(
      cli.run(async (id: string, _options: CommonOptions) => {
        const checkout = await cli.client.get<OperatorCheckoutView>(`/v1/ops/checkouts/${encodeURIComponent(id)}`);
        cli.show(checkout, () => human(checkout));
        return 0;
      }),
    );
}

const human = (one: OperatorCheckoutView): string =>
  facts([
    ['checkout', one.id],
    ['tenant', one.tenant],
    ['status', one.status],
    ['payment', one.payment && `${one.payment} (${one.payment_status})`],
    ['late success', one.late_success],
    ['amount', money(one.amount_total, one.currency)],
    ['window ends', at(one.window_ends_at) + (one.overdue_seconds > 0 ? `, ${duration(one.overdue_seconds)} ago` : '')],
    ['session', one.stripe_checkout_session],
    ['failure', one.failure?.code],
    ['created', at(one.created_at)],
    [
      'to do',
      one.work
        ? `${one.work.waits_for?.replaceAll('_', ' ') ?? 'being worked on'}, looked at ${one.work.due_at ? at(one.work.due_at) : 'when asked'}`
        : 'nothing',
    ],
  ]);
