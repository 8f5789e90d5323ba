import { Client } from 'undici';

/**
 * The peer that `bench -- reconcile` measures a run against: every page of the same lists of the simulator, one after the other, parsed and counted, and nothing else. Runs
 * in a process of its own; asked by IPC for a period, it answers how long it took.
 */
export interface ListingOrder {
  gte: number;
  lt: number;
}
export interface Listed {
  pages: number;
  objects: number;
  seconds: number;
}

const LISTS = ['payment_intents', 'charges', 'refunds', 'disputes', 'checkout/sessions', 'balance_transactions'];
const { STRIPE_API_BASE, STRIPE_SECRET_KEY } = process.env;
const client = new Client(STRIPE_API_BASE!);

process.on('message', (order: ListingOrder) => void listed(order).then((all) => process.send!(all)));
process.on('disconnect', () => process.exit(0));

async function listed({ gte, lt }: ListingOrder): Promise<Listed> {
  const startedAt = performance.now();
  const all = { pages: 0, objects: 0 };
  for (const list of LISTS) {
    for (let after = ''; ;) {
      const { body } = await client.request({
        method: 'GET',
        path: `/v1/${list}?limit=100&created[gte]=${gte}&created[lt]=${lt}${after}`,
        headers: { authorization: `Bearer ${STRIPE_SECRET_KEY}` },
      });
      const page = (await body.json()) as { data: { id: string }[]; has_more: boolean };
      all.pages += 1;
      all.objects += page.data.length;
      if (!page.has_more) break;
      after = `&starting_after=${page.data.at(-1)!.id}`;
    }
  }
  return { ...all, seconds: (performance.now() - startedAt) / 1000 };
}
