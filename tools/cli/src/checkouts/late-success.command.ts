import type { OperatorCheckoutView } from '@tidegate/contracts/ops/checkouts';
import type { CheckoutView } from '@tidegate/contracts/responses';
import { type Command, Option } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { Failure } from '../exit.js';
import { money } from '../output/money.js';
import { at, durationSeconds } from '../output/time.js';
import { patiently } from '../rest/patience.js';
import { checkoutText } from './checkout-text.js';

interface Options extends CommonOptions {
  reason: string;
  accept?: true;
  refund?: true;
  wait: number;
}

export function checkoutsLateSuccess(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'late-success',
    summary: 'Accept or give back what was paid after the end of the window and is held',
    help: `Examples:
  tidegate checkouts list --late-success held
  tidegate checkouts late-success cks_4f1c2b7a9d3e5f60 --accept --reason "the seller still has it"
  tidegate checkouts late-success cks_4f1c2b7a9d3e5f60 --refund --reason "sold to somebody else"

Neither can be taken back. Exit code 2: the refund is decided, but Stripe has not got it yet; the schedule goes on.`,
  })
    .argument('<id>', 'cks_…')
    .option('--accept', 'keep the money: the checkout counts as paid')
    .option('--refund', 'give all of it back')
    .addOption(
      new Option('--wait <duration>', 'with --refund: how long to wait until Stripe has it').argParser(durationSeconds).default(15, '15s'),
    )
    .action(
      cli.run(async (id: string, { accept, refund, wait, ...options }: Options) => {
        if (accept === refund) throw new Failure('action.missing', 'Say --accept or --refund.');
        const path = `/v1/ops/checkouts/${encodeURIComponent(id)}`;
        const look = () => cli.client.get<OperatorCheckoutView>(path);
        const before = await look();
        if (before.late_success !== 'held') throw new Failure('payments.illegal_state', `Nothing is held there: ${stateOf(before)}.`);
        const act = () =>
          cli.progress(refund ? 'Giving it back' : 'Accepting it', async () => {
            const action = refund ? 'refund' : 'accept';
            await cli.client.command<CheckoutView>(`${path}/late-success`, { action, reason: options.reason });
            return patiently(look, ({ late_success }) => late_success !== 'refunding', wait);
          });
        const { done, result } = await cli.change(options, { will: [preview(before, refund === true)], act }, checkoutText);
        if (!done) return 1;
        return result.late_success === 'refunding' ? 2 : 0;
      }),
    );
}

function preview(one: OperatorCheckoutView, refund: boolean): string {
  const paid = `${money(one.amount_total, one.currency)} that ${one.id} of ${one.tenant} got after its window had ended ${at(one.window_ends_at)}`;
  const payment = one.payment ? ` (${one.payment})` : '';
  return `${refund ? 'give back' : 'accept'} ${paid}${payment}`;
}

const stateOf = ({ status, late_success }: OperatorCheckoutView): string =>
  late_success === null ? `it is ${status}, and nothing was paid late` : `it is ${late_success}`;
