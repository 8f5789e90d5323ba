import type { SubscriptionCommandGivenUp } from '@tidegate/contracts/ops/subscription-commands';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';

interface Options extends CommonOptions {
  reason: string;
}

export function subscriptionsGiveUp(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'give-up',
    summary: 'End a request that cannot be carried out',
    help: `Its client is answered 422 subscriptions.given_up. What is at Stripe stays as it is there. Refused while a call for it may have reached Stripe.

Example:
  tidegate subscriptions give-up sbc_4f1c2b7a9d3e5f60 --reason "the subscription was deleted in the dashboard"`,
  })
    .argument('<id>', 'sbc_…')
    .action(
      cli.run(async (id: string, options: Options) => {
        const path = `/v1/ops/subscription-commands/${encodeURIComponent(id)}/give-up`;
        const act = () => cli.client.post<SubscriptionCommandGivenUp>(path, { reason: options.reason });
        const { done } = await cli.change(
          options,
          { will: [`give ${id} up: its client is told so, and what is at Stripe stays as it is`], act },
          ({ subscription }) =>
            subscription === null ? `${id} is given up.\n` : `${id} is given up; ${subscription} stays as it is at Stripe.\n`,
        );
        return done ? 0 : 1;
      }),
    );
}
