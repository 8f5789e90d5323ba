import type { LedgerBalances } from '@tidegate/contracts/responses';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { money } from '../output/money.js';
import { table } from '../output/table.js';
import { timeOrAge } from '../output/time.js';

interface Options extends CommonOptions {
  currency?: string;
  before?: string;
}

export function ledgerBalances(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'balances',
    summary: 'What each account holds in each currency',
    help: `stripe_balance is what Stripe holds for us; stripe_clearing is what payments and Stripe's balance have not both told yet,
and comes back to zero. In each currency all balances sum to zero. Fees come late: a sale without one is counted as pending.`,
  })
    .option('--currency <code>', 'only this currency')
    .option('--before <time>', 'as it was at a time, or so long ago', timeOrAge)
    .action(
      cli.run(async ({ currency, before }: Options) => {
        const view = await cli.client.get<LedgerBalances>('/v1/ledger/balances', { currency: currency?.toLowerCase(), before });
        cli.show(view, () => (view.data.length === 0 ? 'Nothing was posted yet.\n' : rows(view)) + pending(view));
        return 0;
      }),
    );
}

const rows = ({ data }: LedgerBalances): string =>
  table(
    ['ACCOUNT', 'KIND', 'CURRENCY', 'DEBIT', 'CREDIT', 'BALANCE'],
    data.map(({ account, kind, currency, debit, credit, balance }) => [
      ...[account, kind, currency.toUpperCase()],
      ...[debit, credit, balance].map((amount) => money(amount, currency)),
    ]),
  );

const pending = ({ fee_pending: sales }: LedgerBalances): string =>
  sales === 0 ? '' : sales === 1 ? '1 sale waits for its fee.\n' : `${sales} sales wait for their fee.\n`;
