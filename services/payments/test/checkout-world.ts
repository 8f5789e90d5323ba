import { type CheckoutView } from '@tidegate/contracts/responses';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { expect } from '@jest/globals';
import { sql } from 'kysely';
import { deliver, newsOf } from './stripe-news.js';
import { type PaymentsWorld, paymentsWorld, type Request, type WorldOptions } from './payments-world.js';

const body = {
  line_items: [{ name: 'Vase', quantity: 2, unit_amount: 2100 }],
  currency: 'usd',
  success_url: 'https://shop.example/done?session={CHECKOUT_SESSION_ID}',
  cancel_url: 'https://shop.example/back',
};

/** A world of payments with the words for checkouts. */
export async function checkoutWorld(options: WorldOptions = {}) {
  const world = await paymentsWorld(options);
  const view = (reply: HttpReply) => world.json<CheckoutView>(reply);
  const open = (change: object = {}, request: Request = {}, replica = 0) =>
    world.send(RPC.checkoutCreate, { ...request, body: { ...body, ...change } }, replica);
  const told = new Set<string>();

  return {
    ...world,
    view,
    open,
    opened: async (change: object = {}): Promise<CheckoutView> => view(await open(change)),
    seen: async (id: string): Promise<CheckoutView> => view(await world.send(RPC.checkoutGet, { params: { id } })),
    expire: (id: string, key?: string, replica = 0) =>
      world.send(RPC.checkoutExpire, { params: { id }, body: {}, ...(key === undefined ? {} : { key }) }, replica),
    window: (id: string, change: object, key?: string, replica = 0) =>
      world.send(
        RPC.checkoutWindow,
        { params: { id }, body: { reason: 'the payer asked', ...change }, ...(key === undefined ? {} : { key }) },
        replica,
      ),
    /** The payer presses "Pay" on the page; answers the HTTP status. */
    pay: async (session: string | null, payment_method = 'pm_card_visa'): Promise<number> => {
      const response = await fetch(`${world.simulator.url}/__dashboard/pay_checkout`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ session, payment_method, email: 'payer@example.com' }),
      });
      return response.status;
    },
    /** Stripe's news that was not told yet, oldest first unless `order` says otherwise. */
    tell: async (order: (news: ReturnType<typeof newsOf>) => ReturnType<typeof newsOf> = (news) => news): Promise<void> => {
      const fresh = newsOf(world as unknown as PaymentsWorld).filter((message) => !told.has(message.messageId));
      for (const message of order(fresh)) {
        await deliver(world as unknown as PaymentsWorld, message);
        told.add(message.messageId);
      }
    },
    /** One pass over what is due now, without time passing. */
    carryOn: async () => {
      while ((await world.parts.carryOnObjectsOnce(60_000)) + (await world.parts.carryOnOnce(60_000)) > 0);
    },
    breaker: (subject: RpcSubject, name: string) => world.send(subject, { params: { name }, body: { reason: 'test' } }),
    vanish: () => sql`UPDATE payment_work SET lease_until = clock_timestamp() - interval '1 second'`.execute(world.db),
    sessionsOf: (id: string) => world.simulator.world.checkoutSessions.all().filter((one) => one.metadata['checkout_id'] === id),
    /** Successful intents of one checkout: more than one is a double charge. */
    chargesOf: (id: string) =>
      world.simulator.world.paymentIntents.all().filter((one) => one.metadata['checkout_id'] === id && one.status === 'succeeded'),
    metric: async (name: string, labels: Record<string, string> = {}): Promise<number> => {
      const metric = await world.metrics.registry.getSingleMetric(name)?.get();
      const found = metric?.values.filter(({ labels: has }) => Object.entries(labels).every(([key, value]) => has[key as never] === value));
      expect(found?.length).toBeGreaterThan(0);
      return found?.reduce((sum, { value }) => sum + value, 0) ?? NaN;
    },
    factsOf: async (id: string): Promise<string[]> => {
      const { rows } = await sql<{ subject: string }>`SELECT subject FROM outbox WHERE aggregate = ${id} ORDER BY id`.execute(world.db);
      return rows.map(({ subject }) => subject.replace(/^payments\.events\.checkout\.(.*)\.v1$/, '$1'));
    },
  };
}

export type CheckoutWorld = Awaited<ReturnType<typeof checkoutWorld>>;
