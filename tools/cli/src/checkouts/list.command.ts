import { CheckoutPaymentStatus, CheckoutStatus, LateSuccess } from '@tidegate/contracts/checkout';
import type { OperatorCheckoutView } from '@tidegate/contracts/ops/checkouts';
import { type Command, Option } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { money } from '../output/money.js';
import { table } from '../output/table.js';
import { at, count, duration } from '../output/time.js';

interface Options extends CommonOptions {
  status?: string;
  paymentStatus?: string;
  lateSuccess?: string;
  tenant?: string;
  overdue?: true;
  limit: number;
}

export function checkoutsList(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'list',
    summary: 'By status, how they were paid and what is overdue, the newest first',
    help: `Examples:
  tidegate checkouts list --overdue              open, although the window is over
  tidegate checkouts list --late-success held    paid too late, and waiting for a person

Exit code 2: with --overdue or --late-success held, when there are any.`,
  })
    .addOption(new Option('--status <status>', 'only in this status').choices(CheckoutStatus.options))
    .addOption(new Option('--payment-status <status>', 'only when the payment stands like this').choices(CheckoutPaymentStatus.options))
    .addOption(
      new Option('--late-success <what>', 'only paid after the end of the window, when this became of it').choices(LateSuccess.options),
    )
    .option('--tenant <id>', 'only of this tenant')
    .option('--overdue', 'only those that are still open after the end of their window')
    .option('--limit <n>', 'most rows', count, 50)
    .action(
      cli.run(async ({ status, paymentStatus, lateSuccess, tenant, overdue, limit }: Options) => {
        const query = {
          ...{ status, tenant, payment_status: paymentStatus, late_success: lateSuccess },
          overdue: overdue ? 'true' : undefined,
        };
        const page = await cli.client.list<OperatorCheckoutView>('/v1/ops/checkouts', query, limit);
        cli.show(page, () =>
          page.data.length === 0 ? 'There are none.\n' : rows(page.data) + (page.has_more ? 'There are more: --limit.\n' : ''),
        );
        return (overdue || lateSuccess === 'held') && page.data.length > 0 ? 2 : 0;
      }),
    );
}

const rows = (checkouts: readonly OperatorCheckoutView[]): string =>
  table(
    ['CHECKOUT', 'TENANT', 'STATUS', 'AMOUNT', 'PAYMENT', 'PAID', 'LATE', 'WINDOW ENDS', 'OVERDUE'],
    checkouts.map((one) => [
      ...[one.id, one.tenant, one.status, money(one.amount_total, one.currency), one.payment, one.payment_status, one.late_success],
      ...[at(one.window_ends_at), one.overdue_seconds > 0 ? duration(one.overdue_seconds) : null],
    ]),
  );
