import { setTimeout as delay } from 'node:timers/promises';
import type { CustomerView } from '@tidegate/contracts/responses';
import { type Command, Option } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { facts } from '../output/table.js';
import { at, durationSeconds } from '../output/time.js';

interface Options extends CommonOptions {
  customer: string;
  reason: string;
  wait: number;
}

const LOOK_EVERY_MS = 500;

export function privacyErase(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'erase',
    summary: 'Forget a customer: here, in every copy, and at Stripe',
    help: `The key's tenant must be the customer's. What is erased and what stays, receipts above all, is in docs/adr/0014. Amounts, ids and states stay; payments that
are under way are forgotten within a day of their end. It cannot be undone, and may be ordered again.
Exit code 2: Stripe has not deleted the customer yet; that is tried until it has.`,
  })
    .requiredOption('--customer <cus_…>', 'the customer')
    .addOption(new Option('--wait <duration>', 'how long to wait for Stripe').argParser(durationSeconds).default(10, '10s'))
    .action(
      cli.run(async ({ customer: id, wait, ...options }: Options) => {
        const path = `/v1/customers/${encodeURIComponent(id)}`;
        const customer = await cli.client.get<CustomerView>(path);
        if (customer.status === 'erased') {
          cli.show({ done: true, would: [], result: customer }, `${id} was erased at ${at(customer.erased_at ?? '')}.`);
          return 0;
        }
        const { done, result } = await cli.change(
          options,
          {
            will: [
              `forget name, address, locale and metadata of ${id}, and what its payments and checkouts that have ended were told about a person`,
              'have receipts and webhooks forget what they keep of it',
              'delete the customer at Stripe, which cancels its subscriptions',
            ],
            beware: ['it cannot be undone; receipts stay as they were issued, because the law wants them kept'],
            act: async () => {
              const ordered = await cli.client.post<CustomerView>(`${path}/erase`, { reason: options.reason });
              return untilErased(cli, path, ordered, wait);
            },
          },
          (left) =>
            facts([
              ['customer', left.id],
              ['status', left.status === 'erased' ? 'erased' : 'erasing: waits for Stripe'],
              ['erased', left.erased_at === null ? '-' : at(left.erased_at)],
            ]),
        );
        if (!done) return 1;
        return result.status === 'erased' ? 0 : 2;
      }),
    );
}

async function untilErased(cli: Cli, path: string, ordered: CustomerView, seconds: number): Promise<CustomerView> {
  const until = Date.now() + seconds * 1000;
  let found = ordered;
  while (found.status !== 'erased' && Date.now() < until) {
    await delay(LOOK_EVERY_MS);
    found = await cli.client.get<CustomerView>(path);
  }
  return found;
}
