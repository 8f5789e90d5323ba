import type { OperatorCheckoutView } from '@tidegate/contracts/ops/checkouts';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { checkoutText } from './checkout-text.js';

export function checkoutsShow(parent: Command, cli: Cli): void {
  looking(parent, { name: 'show', summary: 'One checkout: how it stands, and what waits' })
    .argument('<id>', 'cks_…')
    .action(
      cli.run(async (id: string, _options: CommonOptions) => {
        const checkout = await cli.client.get<OperatorCheckoutView>(`/v1/ops/checkouts/${encodeURIComponent(id)}`);
        cli.show(checkout, () => checkoutText(checkout));
        return 0;
      }),
    );
}
