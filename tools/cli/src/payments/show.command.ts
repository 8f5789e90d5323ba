import type { OperatorPaymentDetail } from '@tidegate/contracts/ops/payments';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { table } from '../output/table.js';
import { at } from '../output/time.js';
import { paymentText } from './payment-text.js';

export function paymentsShow(parent: Command, cli: Cli): void {
  looking(parent, { name: 'show', summary: 'One payment: how it stands, what waits, what happened' })
    .argument('<id>', 'pay_…')
    .action(
      cli.run(async (id: string, _options: CommonOptions) => {
        const payment = await cli.client.get<OperatorPaymentDetail>(`/v1/ops/payments/${encodeURIComponent(id)}`);
        cli.show(payment, () => {
          const refunds = payment.refunds.map((one) => [one.id, one.status, one.amount, at(one.created_at)]);
          return [
            paymentText(payment),
            ...(refunds.length > 0 ? [table(['REFUND', 'STATUS', 'AMOUNT', 'CREATED'], refunds)] : []),
            table(
              ['AT', 'WHAT HAPPENED'],
              payment.events.map((event) => [at(event.at), event.summary]),
            ),
          ].join('\n');
        });
        return 0;
      }),
    );
}
