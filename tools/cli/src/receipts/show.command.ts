import type { OperatorReceiptView } from '@tidegate/contracts/ops/receipts';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { receiptText } from './receipt-text.js';

export function receiptsShow(parent: Command, cli: Cli): void {
  looking(parent, { name: 'show', summary: 'One receipt: how it stands, and what its document was made of' })
    .argument('<id>', 'rcp_…')
    .action(
      cli.run(async (id: string, _options: CommonOptions) => {
        const receipt = await cli.client.get<OperatorReceiptView>(`/v1/ops/receipts/${encodeURIComponent(id)}`);
        cli.show(receipt, () => receiptText(receipt));
        return 0;
      }),
    );
}
