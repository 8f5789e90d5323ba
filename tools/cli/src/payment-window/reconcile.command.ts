import type { WindowReport } from '@tidegate/contracts/responses';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { facts } from '../output/table.js';
import { duration } from '../output/time.js';

export function windowReconcile(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'reconcile',
    summary: 'Close every page whose window is over, now',
    help: `Asks Stripe about each and believes it: one that was paid in time is complete, whatever the clock says.
The same happens by itself at least every 5 minutes. Exit code 2: Stripe gave no certain answer for some, or some are left.`,
  }).action(
    cli.run(async (options: CommonOptions & { reason: string }) => {
      const act = () =>
        cli.progress('Asking Stripe', () => cli.client.post<WindowReport>('/v1/ops/payment-window/reconcile', { reason: options.reason }));
      const { done, result } = await cli.change(options, { will: ['ask Stripe to expire every page whose window is over'], act }, human);
      if (!done) return 1;
      return result.unresolved.length > 0 || result.has_more ? 2 : 0;
    }),
  );
}

const human = (report: WindowReport): string =>
  facts([
    ['overdue', report.overdue],
    ['oldest', report.overdue === 0 ? null : `${duration(report.oldest_overdue_seconds)} overdue`],
    ['expired', report.expired.join(', ')],
    ['paid', report.complete.join(', ')],
    ['unresolved', report.unresolved.join(', ')],
  ]) + (report.has_more ? 'Some are left: ask again.\n' : '');
