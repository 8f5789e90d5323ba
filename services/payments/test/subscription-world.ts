import { stripeSubject } from '@tidegate/contracts/events/stripe-event';
import { type InvoiceView } from '@tidegate/contracts/invoice';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { type SubscriptionView } from '@tidegate/contracts/subscription';
import { type Incoming } from '@tidegate/messaging/incoming';
import { createStripeAdapter } from '@tidegate/stripe-gateway/adapter';
import { type RetrievableKind } from '@tidegate/stripe-gateway/retrievable';
import { normalizedEvent } from '@tidegate/webhooks/normalize/normalized-event.decide';
import { sql } from 'kysely';
import { deliver, newsOf } from './stripe-news.js';
import { type PaymentsWorld, paymentsWorld, type WorldOptions } from './payments-world.js';

const MONTH_MS = 31 * 86_400_000;
const CYCLIC = ['subscription', 'invoice'];

/** A world of payments with the words for subscriptions. */
export async function subscriptionWorld(options: WorldOptions = {}) {
  const world = await paymentsWorld(options);
  const reader = createStripeAdapter({ secretKey: 'sk_test_simulator', apiBase: world.simulator.url });
  const told = new Set<string>();
  const fresh = () => newsOf(world as unknown as PaymentsWorld).filter((message) => !told.has(message.messageId));

  /** As webhooks does it: the object as Stripe shows it now, as old as the start of that request. */
  async function asShown(message: Incoming): Promise<Incoming> {
    const { object, created, type } = message.envelope.data as { object: { object: string; id: string }; created: number; type: string };
    if (!CYCLIC.includes(object.object)) return message;
    const occurred_at = world.clock.now().toISOString();
    const outcome = await reader.retrieveObject(object.object as RetrievableKind, object.id);
    if (outcome.kind !== 'ok') return message;
    const data = normalizedEvent(
      {
        stripe_event_id: message.messageId,
        event_type: type,
        created: new Date(created * 1000),
        livemode: false,
        api_version: null,
        hint: true,
        message_id: null,
        payload: Buffer.from(JSON.stringify({ data: { object: outcome.value } })),
      },
      { object: outcome.value },
    );
    return { ...message, subject: stripeSubject(type, object.object), envelope: { ...message.envelope, occurred_at, data } };
  }

  async function customer(payment_method: string | null = 'pm_card_visa', metadata: Record<string, string> = {}): Promise<string> {
    const method = payment_method === null ? {} : { payment_method, 'invoice_settings[default_payment_method]': payment_method };
    return (await world.stripe('customers', { 'metadata[tenant_id]': 'default', ...method, ...metadata }))['id'] as string;
  }

  async function price(unit_amount = 3000, form: Record<string, string> = {}): Promise<string> {
    const body = {
      currency: 'usd',
      unit_amount: String(unit_amount),
      'recurring[interval]': 'month',
      'product_data[name]': 'Plan',
      ...form,
    };
    return (await world.stripe('prices', body))['id'] as string;
  }

  return {
    ...world,
    customer,
    price,
    /** Somebody subscribes at Stripe, not through us. */
    subscribed: async (form: Record<string, string> = {}, method: string | null = 'pm_card_visa'): Promise<string> => {
      const of = form['customer'] ?? (await customer(method));
      const body = { customer: of, 'items[0][price]': await price(), ...form };
      return (await world.stripe('subscriptions', body))['id'] as string;
    },
    /** Stripe's news that was not told yet, as webhooks tells it; oldest first unless `order` says otherwise. */
    tell: async (order: (news: Incoming[]) => Incoming[] = (news) => news): Promise<void> => {
      for (const message of order(fresh())) {
        await deliver(world as unknown as PaymentsWorld, await asShown(message));
        told.add(message.messageId);
      }
    },
    asShown,
    fresh,
    deliver: (message: Incoming) => deliver(world as unknown as PaymentsWorld, message),
    lost: () => fresh().forEach(({ messageId }) => told.add(messageId)),
    seen: async (id: string): Promise<SubscriptionView> =>
      world.json<SubscriptionView>(await world.send(RPC.subscriptionGet, { params: { id } })),
    invoices: async (query: Record<string, string>): Promise<InvoiceView[]> =>
      world.json<{ data: InvoiceView[] }>(await world.send(RPC.invoiceList, { query })).data,
    factsOf: async (aggregate: string): Promise<string[]> => {
      const { rows } = await sql<{ subject: string }>`SELECT subject FROM outbox WHERE aggregate = ${aggregate} ORDER BY id`.execute(
        world.db,
      );
      return rows.map(({ subject }) => subject.split('.').slice(2, -1).join('.'));
    },
    /** What Stripe plans for the next days happens. */
    pass: (ms: number) => world.advance(ms),
    passMonth: () => world.advance(MONTH_MS),
    carryOn: async () => {
      while ((await world.parts.carryOnObjectsOnce(60_000)) + (await world.parts.carryOnOnce(60_000)) > 0);
    },
    vanish: () => sql`UPDATE payment_work SET lease_until = clock_timestamp() - interval '1 second'`.execute(world.db),
    subscriptionAtStripe: (id: string) => world.simulator.world.subscriptions.get(id),
    invoicesAtStripe: (id: string) =>
      world.simulator.world.invoices.all().filter((one) => one.parent?.subscription_details.subscription === id),
    close: async () => {
      reader.close();
      await world.close();
    },
  };
}

export type SubscriptionWorld = Awaited<ReturnType<typeof subscriptionWorld>>;
