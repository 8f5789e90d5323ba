import type { OperatorReceiptView } from '@tidegate/contracts/ops/receipts';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { money } from '../output/money.js';
import { table } from '../output/table.js';
import { at, count } from '../output/time.js';
import { queryOf, type ReceiptOptions, withReceiptOptions } from './receipt-options.js';

export function receiptsList(parent: Command, cli: Cli): void {
  const command = looking(parent, {
    name: 'list',
    summary: 'Receipts and credit notes, the newest first',
    help: `Example:
  tidegate receipts list --status failed     whose document cannot be made

Exit code 2: with --status issued or failed, when there are any.`,
  });
  withReceiptOptions(command)
    .option('--limit <n>', 'most rows', count, 50)
    .action(
      cli.run(async ({ limit, ...options }: CommonOptions & ReceiptOptions & { limit: number }) => {
        const page = await cli.client.list<OperatorReceiptView>('/v1/ops/receipts', queryOf(options), limit);
        cli.show(page, () =>
          page.data.length === 0 ? 'There are none.\n' : rows(page.data) + (page.has_more ? 'There are more: --limit.\n' : ''),
        );
        return (options.status === 'issued' || options.status === 'failed') && page.data.length > 0 ? 2 : 0;
      }),
    );
}

const rows = (receipts: readonly OperatorReceiptView[]): string =>
  table(
    ['RECEIPT', 'NUMBER', 'TENANT', 'AMOUNT', 'PAYMENT', 'STATUS', 'MAIL', 'ISSUED'],
    receipts.map((one) => [
      one.id,
      one.number,
      one.tenant,
      money(one.amount, one.currency),
      one.payment,
      one.voided_at === null ? (one.error ?? one.status) : 'void',
      one.mail,
      at(one.issued_at),
    ]),
  );
