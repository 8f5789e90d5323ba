import type { RepairUsageView } from '@tidegate/contracts/usage';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { timeOrAge } from '../output/time.js';

interface Options extends CommonOptions {
  reason: string;
}

export function usageRepair(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'repair',
    summary: 'Have the difference of one hour to what Stripe counts reported',
    help: 'Believes Stripe’s summary of the hour, then reports what our counter says beyond it, or takes back what it lacks.\nOf meters that count events or take the latest, what Stripe lacks is sent again; it takes none back.\nAn hour after the last report at the soonest.',
  })
    .argument('<customer>', 'as stale-counters shows it')
    .argument('<meter>', 'the same')
    .argument('<hour>', 'the same, such as 2026-11-21T10:00:00Z', timeOrAge)
    .action(
      cli.run(async (customer: string, meter: string, hour: string, options: Options) => {
        const { done } = await cli.change(
          options,
          {
            will: [
              `ask Stripe what it counts for ${customer} of ${meter} in the hour from ${hour}`,
              'report the difference to our counter',
            ],
            beware: [],
            act: () => cli.client.post<RepairUsageView>('/v1/ops/usage/repair', { customer, meter, hour, reason: options.reason }),
          },
          ({ local, remote, difference }) => `Counted here ${local}, at Stripe ${remote}: ${difference} is reported next.\n`,
        );
        return done ? 0 : 1;
      }),
    );
}
