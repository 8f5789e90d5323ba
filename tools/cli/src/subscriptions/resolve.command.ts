import type { SubscriptionCommandResolution } from '@tidegate/contracts/ops/subscription-commands';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';

interface Options extends CommonOptions {
  reason: string;
}

export function subscriptionsResolve(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'resolve',
    summary: 'Carry a request on now',
    help: `The same as the schedule does by itself, only now; \`subscriptions pending\` shows what came of it.

Example:
  tidegate subscriptions resolve sbc_4f1c2b7a9d3e5f60 --reason "customer asks"`,
  })
    .argument('<id>', 'sbc_…')
    .action(
      cli.run(async (id: string, options: Options) => {
        const path = `/v1/ops/subscription-commands/${encodeURIComponent(id)}/resolve`;
        const act = () => cli.client.post<SubscriptionCommandResolution>(path, { reason: options.reason });
        const { done } = await cli.change(options, { will: [`carry ${id} on now`], act }, () => `${id} is carried on.\n`);
        return done ? 0 : 1;
      }),
    );
}
