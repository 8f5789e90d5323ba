import type { OperatorPaymentView } from '@tidegate/contracts/ops/payments';
import { PAYMENT_STATUSES } from '@tidegate/contracts/payment';
import { type Command, Option } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { money } from '../output/money.js';
import { table } from '../output/table.js';
import { count, duration, durationSeconds } from '../output/time.js';

interface Options extends CommonOptions {
  status?: string;
  olderThan?: number;
  tenant?: string;
  withoutIntent?: true;
  newest?: true;
  limit: number;
}

export function paymentsList(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'list',
    summary: 'By status and age, those that are longest in their status first',
    help: `Examples:
  tidegate payments list --status unknown --older-than 30m   what may need a look
  tidegate payments list --status failed --newest            what failed last

Payments without a PaymentIntent id are among them (INTENT is -), and matter most: nobody knows yet what Stripe has.
Exit code 2: with --older-than, when there are any.`,
  })
    .addOption(new Option('--status <status>', 'only in this status').choices([...PAYMENT_STATUSES]))
    .option('--older-than <duration>', 'only those that have been in their status for so long', durationSeconds)
    .option('--tenant <id>', 'only of this tenant')
    .option('--without-intent', 'only those whose PaymentIntent id is not known')
    .option('--newest', 'the latest first')
    .option('--limit <n>', 'most rows', count, 50)
    .action(
      cli.run(async ({ status, olderThan, tenant, withoutIntent, newest, limit }: Options) => {
        const query = {
          ...{ status, tenant, older_than: olderThan },
          without_intent: withoutIntent ? 'true' : undefined,
          order: newest ? 'newest' : undefined,
        };
        const page = await cli.client.list<OperatorPaymentView>('/v1/ops/payments', query, limit);
        cli.show(page, () =>
          page.data.length === 0 ? 'There are none.\n' : rows(page.data) + (page.has_more ? 'There are more: --limit.\n' : ''),
        );
        return olderThan !== undefined && page.data.length > 0 ? 2 : 0;
      }),
    );
}

const rows = (payments: readonly OperatorPaymentView[]): string =>
  table(
    ['PAYMENT', 'TENANT', 'STATUS', 'FOR', 'AMOUNT', 'INTENT', 'WAITS FOR', 'FAILURE'],
    payments.map((one) => [
      one.id,
      one.tenant,
      one.status,
      duration(one.age_seconds),
      money(one.amount, one.currency),
      one.stripe_payment_intent,
      one.work?.waits_for,
      one.failure?.decline_code ?? one.failure?.code,
    ]),
  );
