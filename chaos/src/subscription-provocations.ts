import type { CustomerView } from '@tidegate/contracts/responses';
import type { SubscriptionView } from '@tidegate/contracts/subscription';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Arena } from './arena.js';
import { type Provocation } from './provocation.js';
import { type Random } from './seed.js';

/** What must happen before these failpoints of subscriptions and invoices are reached. */
export const SUBSCRIPTION_PROVOCATIONS: readonly [RegExp, Provocation][] = [
  [/^payments\.subscription\.lookup_list\./, loseTheAnswer],
  [/^payments\.subscription\.secret\./, (arena, random) => subscribe(arena, random, 'pm_card_threeDSecure2Required').then(() => undefined)],
  [/^payments\.subscription\./, liveThrough],
  [/^payments\.billing\./, liveThrough],
];

/** A customer who can be charged, or must authenticate, subscribes through us. Undefined when that was refused. */
async function subscribe(arena: Arena, random: Random, method = 'pm_card_visa'): Promise<SubscriptionView | undefined> {
  const person = {
    method: 'POST' as const,
    path: '/v1/customers',
    body: { name: 'Ada Payer' },
    key: `subscriber-${random.below(2 ** 31)}`,
  };
  const { id: customer } = JSON.parse((await arena.client.send(person)).body) as CustomerView;
  const { id: card } = await arena.atStripe(`/v1/payment_methods/${method}/attach`, { customer });
  const plan = { currency: 'usd', unit_amount: '3000', 'recurring[interval]': 'month', 'product_data[name]': 'Plan' };
  const { id: price } = await arena.atStripe('/v1/prices', plan);
  const body = { customer, items: [{ price }], payment_method: card };
  const answer = await arena.client.send({ method: 'POST', path: '/v1/subscriptions', body, key: `subscribe-${random.below(2 ** 31)}` });
  return answer.status === 201 ? (JSON.parse(answer.body) as SubscriptionView) : undefined;
}

/** Somebody subscribes, takes two, and cancels. */
async function liveThrough(arena: Arena, random: Random): Promise<void> {
  const subscription = await subscribe(arena, random);
  if (!subscription) return;
  const path = `/v1/subscriptions/${subscription.id}`;
  const items = subscription.items.map(({ price }) => ({ price, quantity: 2 }));
  await arena.client.send({ method: 'POST', path, body: { items }, key: `change-${random.below(2 ** 31)}` });
  await arena.client.send({ method: 'POST', path: `${path}/cancel`, body: {}, key: `cancel-${random.below(2 ** 31)}` });
  await eventually(async () => {
    const { status } = await arena.client.get<SubscriptionView>(path);
    if (status !== 'canceled') throw new Error(`Is ${status}`);
  });
}

async function loseTheAnswer(arena: Arena, random: Random): Promise<void> {
  await arena.fault({ fault: 'reset_after', route: 'POST /v1/subscriptions', times: 1 });
  await subscribe(arena, random);
}
