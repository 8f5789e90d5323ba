import type { BreakerView } from '@tidegate/contracts/responses';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { breakersText } from './breaker-text.js';

export function breakerStatus(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'status',
    summary: 'Whether calls go out, and when the next try is',
    help: `stripe is for writes, stripe_reads for reads, stripe_usage for reports of usage; each is the same in every process.
open: nothing is called until NEXT TRY, then one call tries. isolated: an operator stopped it. auth: Stripe refuses the key.
Exit code 2: one of them is not closed, or holds an operation.`,
  }).action(
    cli.run(async (_options: CommonOptions) => {
      const { data } = await cli.client.get<{ data: BreakerView[] }>('/v1/ops/breakers');
      cli.show({ data }, () => breakersText(data));
      return data.every((one) => one.state === 'closed' && one.held_operations.length === 0) ? 0 : 2;
    }),
  );
}
