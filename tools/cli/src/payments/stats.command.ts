import type { PaymentStatsView } from '@tidegate/contracts/ops/payments';
import { PAYMENT_STATUSES } from '@tidegate/contracts/payment';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { table } from '../output/table.js';
import { at, count } from '../output/time.js';

export function paymentsStats(parent: Command, cli: Cli): void {
  looking(parent, { name: 'stats', summary: 'Counts by hour of creation and status, the newest hour first' })
    .option('--hours <n>', 'how many hours back, this one included', count, 24)
    .option('--tenant <id>', 'only of this tenant')
    .action(
      cli.run(async ({ hours, tenant }: CommonOptions & { hours: number; tenant?: string }) => {
        const stats = await cli.client.get<PaymentStatsView>('/v1/ops/payment-stats', { hours, tenant });
        cli.show(stats, () => pivot(stats));
        return 0;
      }),
    );
}

/** A column for each status that occurs. */
function pivot({ data, since }: PaymentStatsView): string {
  if (data.length === 0) return `No payments since ${at(since)}.\n`;
  const statuses = PAYMENT_STATUSES.filter((status) => data.some((one) => one.status === status));
  const hours = Map.groupBy(data, ({ hour }) => hour);
  return table(
    ['HOUR', 'ALL', ...statuses.map((status) => status.toUpperCase())],
    [...hours].map(([hour, counts]) => [
      at(hour),
      counts.reduce((sum, one) => sum + one.count, 0),
      ...statuses.map((status) => counts.find((one) => one.status === status)?.count ?? 0),
    ]),
  );
}
