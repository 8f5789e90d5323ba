import type { OperatorPaymentDetail, ResolvePaymentView } from '@tidegate/contracts/ops/payments';
import { type Command, Option } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { duration, durationSeconds } from '../output/time.js';
import { patiently } from '../rest/patience.js';
import { paymentText } from './payment-text.js';

interface Options extends CommonOptions {
  reason: string;
  wait: number;
}

export function paymentsResolve(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'resolve',
    summary: 'Ask Stripe now how a payment stands, and believe it',
    help: `The same as the schedule does by itself, only now. It moves no money and repeats nothing blindly.
Exit code 2: it is still not certain, because a breaker is open, say; the schedule goes on.

Example:
  tidegate payments resolve pay_4f1c2b7a9d3e5f60 --reason "customer asks"`,
  })
    .argument('<id>', 'pay_…')
    .addOption(new Option('--wait <duration>', 'how long to wait for what comes of it').argParser(durationSeconds).default(15, '15s'))
    .action(
      cli.run(async (id: string, { wait, ...options }: Options) => {
        const path = `/v1/ops/payments/${encodeURIComponent(id)}`;
        const before = await cli.client.get<OperatorPaymentDetail>(path);
        const act = () =>
          cli.progress(`Asking Stripe about ${id}`, async () => {
            await cli.client.post<ResolvePaymentView>(`${path}/resolve`, { reason: options.reason });
            return patiently(
              () => cli.client.get<OperatorPaymentDetail>(path),
              (one) => !isOpen(one),
              wait,
            );
          });
        const will = [`ask Stripe about ${id}, which is ${before.status} for ${duration(before.age_seconds)}`];
        const { done, result } = await cli.change(options, { will, act }, (after) => {
          const change =
            after.status === before.status ? `It is still ${after.status}.` : `It was ${before.status} and is ${after.status}.`;
          return `${change}\n\n${paymentText(after)}`;
        });
        if (!done) return 1;
        return isOpen(result) ? 2 : 0;
      }),
    );
}

const isOpen = ({ status, work }: OperatorPaymentDetail): boolean => work !== null || status === 'unknown' || status === 'queued';
