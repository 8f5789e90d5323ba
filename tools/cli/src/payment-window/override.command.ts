import type { OperatorCheckoutView } from '@tidegate/contracts/ops/checkouts';
import type { CheckoutView } from '@tidegate/contracts/responses';
import type { Command } from 'commander';
import { type Cli, type CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { Failure } from '../exit.js';
import { money } from '../output/money.js';
import { facts } from '../output/table.js';
import { at, durationSeconds } from '../output/time.js';

interface Options extends CommonOptions {
  reason: string;
  extend?: true;
  expire?: true;
  for?: number;
}

export function windowOverride(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'override',
    summary: 'Extend or end the window of one checkout by hand',
    help: `Examples:
  tidegate payment-window override cks_4f1c2b7a9d3e5f60 --extend --for 6h --reason "bank was down"
  tidegate payment-window override cks_4f1c2b7a9d3e5f60 --expire --reason "auction cancelled"

A fresh page, with another URL, is opened only after Stripe has closed the one before. One that was paid meanwhile stays complete.`,
  })
    .argument('<id>', 'cks_…')
    .option('--extend', 'open it again, or for longer')
    .option('--for <duration>', 'with --extend: how long from now, at most 24h; the usual window unless given', durationSeconds)
    .option('--expire', 'end it now')
    .action(
      cli.run(async (id: string, { extend, expire, for: seconds, ...options }: Options) => {
        if (extend === expire) throw new Failure('action.missing', 'Say --extend or --expire.');
        if (expire && seconds !== undefined) throw new Failure('action.invalid', '--for goes with --extend.');
        const path = `/v1/ops/checkouts/${encodeURIComponent(id)}`;
        const before = await cli.client.get<OperatorCheckoutView>(path);
        const until = seconds === undefined ? undefined : new Date(Date.now() + seconds * 1000).toISOString();
        const state = `of ${before.tenant}; it is ${before.status}, its window ends ${at(before.window_ends_at)}`;
        const end = until === undefined ? 'for the usual window' : `until ${at(until)}`;
        const { done } = await cli.change(
          options,
          {
            will: [extend ? `open ${id} ${end} (${state})` : `end ${id} now (${state})`],
            beware: extend && before.url !== null ? ['the page that the customer has is closed; the new one has another URL'] : [],
            act: () =>
              cli.client.command<CheckoutView>(`${path}/window`, { action: extend ? 'extend' : 'expire', until, reason: options.reason }),
          },
          human,
        );
        return done ? 0 : 1;
      }),
    );
}

const human = (one: CheckoutView): string =>
  facts([
    ['checkout', one.id],
    ['status', one.status],
    ['window ends', at(one.window_ends_at)],
    ['page', one.url],
    ['amount', money(one.amount_total, one.currency)],
    ['payment', one.payment],
  ]);
