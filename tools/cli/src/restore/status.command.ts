import type { HoldView } from '@tidegate/contracts/ops/hold';
import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { looking } from '../command.js';
import { facts } from '../output/table.js';
import { at } from '../output/time.js';

export const HOLD = '/v1/ops/hold';

export function restoreStatus(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'status',
    summary: 'Whether requests are held, and what the record lacks',
    help: 'Exit code 2: requests that move money are held.',
  }).action(
    cli.run(async () => {
      const hold = await cli.client.get<HoldView>(HOLD);
      cli.show(hold, () => holdText(hold));
      return hold.held ? 2 : 0;
    }),
  );
}

export const holdText = (hold: HoldView): string =>
  hold.held
    ? facts([
        ['requests', 'held'],
        ['record', `as of ${at(hold.restore_point ?? '')}; what came later is not compared yet`],
        ['since', at(hold.held_at ?? '')],
        ['by', hold.actor ?? '-'],
        ['reason', hold.reason ?? '-'],
      ])
    : 'Requests are taken.';
