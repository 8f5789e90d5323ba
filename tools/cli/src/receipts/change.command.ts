import type { OperatorReceiptView } from '@tidegate/contracts/ops/receipts';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { receiptText } from './receipt-text.js';

type Options = CommonOptions & { reason: string };

export function receiptsRegenerate(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'regenerate',
    summary: 'Make the document of a receipt anew',
    help: `With the template, fonts and engine of today, and with how the payment stands now: refunds and disputes show. The number stays.
When it cannot be made, it says what went wrong.

Example:
  tidegate receipts regenerate rcp_4f1c2b7a9d3e5f604f1c2b7a --reason "template repaired"`,
  })
    .argument('<id>', 'rcp_…')
    .action(
      cli.run(async (id: string, options: Options) => {
        const before = await cli.client.get<OperatorReceiptView>(pathOf(id));
        const will = [`make the document of ${before.number} anew`];
        const act = () => cli.client.post<OperatorReceiptView>(`${pathOf(id)}/regenerate`, { reason: options.reason });
        const { done } = await cli.change(options, { will, act }, (after) => {
          const change = after.sha256 === before.sha256 ? 'It has the same bytes as before.' : 'It has other bytes than before.';
          return `${change}\n\n${receiptText(after)}`;
        });
        return done ? 0 : 1;
      }),
    );
}

export function receiptsResend(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'resend',
    summary: 'Mail a receipt once more',
    help: `To the address that is known of the payer. A document is mailed once by itself; one whose mail is "unknown" may have arrived.`,
  })
    .argument('<id>', 'rcp_…')
    .action(
      cli.run(async (id: string, options: Options) => {
        const before = await cli.client.get<OperatorReceiptView>(pathOf(id));
        const will = [`mail ${before.number} once more`];
        const beware = before.mail === 'sent' ? ['it was mailed before'] : [];
        const act = () => cli.client.post<OperatorReceiptView>(`${pathOf(id)}/resend`, { reason: options.reason });
        const { done } = await cli.change(options, { will, beware, act }, receiptText);
        return done ? 0 : 1;
      }),
    );
}

const pathOf = (id: string): string => `/v1/ops/receipts/${encodeURIComponent(id)}`;
