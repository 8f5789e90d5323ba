import { type Arena } from './arena.js';
import { CHECKOUT_PROVOCATIONS } from './checkout-provocations.js';
import { type Random } from './seed.js';
import { type StoryLog } from './step.js';
import { type Provocation, story } from './provocation.js';
import { type Kind, tellStory } from './story.js';
import { SUBSCRIPTION_PROVOCATIONS } from './subscription-provocations.js';
import { USAGE_PROVOCATIONS } from './usage-provocations.js';

/** Failpoints that clients' usual stories reach, by the story that does so soonest. */
const STORIES: readonly [RegExp, Kind][] = [
  [/^payments\.create\./, 'create'],
  [/^payments\.confirm\./, 'confirm'],
  [/^payments\.capture\./, 'capture'],
  [/^payments\.cancel\./, 'cancel'],
  [/^payments\.refund\./, 'refund'],
  [/^payments\.checkout\.(accept|session|session_recorded)\./, 'checkout:left'],
  [/^payments\.checkout\.(expire|expire_recorded)\./, 'checkout:expired'],
  [/^payments\.customer\.(accept|create|create_recorded)\./, 'customer:kept'],
  [/^payments\.customer\.(erase|delete|delete_recorded)\./, 'customer:erased'],
];

/** What else must happen before the others are reached: a refusal, a lost answer, somebody at work beside us. */
const PROVOCATIONS: readonly [RegExp, Provocation][] = [
  [/^payments\.request\.refused\./, story('refused')],
  [
    /^payments\.(retry\.submitted|lookup\.intent)\./,
    story('create', { fault: 'error_500_before', route: 'POST /v1/payment_intents/:id/confirm' }),
  ],
  [/^payments\.lookup\.recorded\./, story('create', { fault: 'reset_after', route: 'POST /v1/payment_intents/:id/confirm' })],
  [/^payments\.lookup\.intents\./, story('create', { fault: 'reset_after', route: 'POST /v1/payment_intents' })],
  [/^payments\.lookup\.refunds\./, story('refund', { fault: 'reset_after', route: 'POST /v1/refunds' })],
  [/^payments\.lookup\.disputes\./, refundOfADisputed],
  [/^payments\.orphan\./, secondIntent],
  [/^payments\.refresh\./, unseenRefund],
  [/^payments\.customer\.check\./, foreignCustomer],
  [/^payments\.retry\.dead_lettered\./, giveUpTheQueue],
  [/^webhooks\.parked\./, paymentOfAStranger],
  [/^webhooks\.replay\./, replaySome],
  ...CHECKOUT_PROVOCATIONS,
  ...USAGE_PROVOCATIONS,
  ...SUBSCRIPTION_PROVOCATIONS,
  [/^payments\.customer\.(submitted|lookup_list)\./, story('customer:kept', { fault: 'error_500_before', route: 'POST /v1/customers' })],
];

/** The story that reaches this failpoint; undefined when any does, or none. */
export const storyTo = (failpoint: string): Kind | undefined => STORIES.find(([names]) => names.test(failpoint))?.[1];

/** To be repeated until the failpoint is reached; undefined when the stories are enough. */
export const provocationOf = (failpoint: string): Provocation | undefined => PROVOCATIONS.find(([names]) => names.test(failpoint))?.[1];

/** A second intent with the id of a payment, as a create whose answer came too late leaves one. */
async function secondIntent(arena: Arena, random: Random, log: StoryLog): Promise<void> {
  await tellStory(arena, random, log, 'create');
  const payment = log.created.at(-1);
  if (!payment) return;
  await arena.atStripe('/v1/payment_intents', {
    amount: '4200',
    currency: 'usd',
    'metadata[payment_id]': payment,
    'metadata[tenant_id]': 'default',
  });
}

/** A refund in Stripe's dashboard whose own delivery is lost: its charge says that more was given back than we know of, and the payment is looked at. */
async function unseenRefund(arena: Arena, random: Random, log: StoryLog): Promise<void> {
  const payment_intent = await paid(arena, random, log);
  if (payment_intent) await refundUnseen(arena, payment_intent);
}

/** The same for a payment that the bank asks about: whoever looks at it reads its disputes, too. */
async function refundOfADisputed(arena: Arena, random: Random, log: StoryLog): Promise<void> {
  const payment_intent = await paid(arena, random, log);
  if (!payment_intent) return;
  await arena.dashboard('dispute', { payment_intent, kind: 'inquiry' });
  await refundUnseen(arena, payment_intent);
}

async function refundUnseen(arena: Arena, payment_intent: string): Promise<void> {
  await arena.fault({ fault: 'webhook_drop', event_type: 'refund.*', times: 3 });
  await arena.dashboard('refund', { payment_intent, amount: 100 });
}

/** The intent of a new payment that has succeeded. */
async function paid(arena: Arena, random: Random, log: StoryLog): Promise<string | undefined> {
  await tellStory(arena, random, log, 'create');
  const payment = log.created.at(-1);
  const { payment_intents } = await arena.truth();
  return payment_intents.find((one) => one.metadata['payment_id'] === payment && one.status === 'succeeded')?.id;
}

/** An operator has events published once more; whoever handled them has nothing to do. */
async function replaySome({ client }: Arena): Promise<void> {
  const body = { filter: { type: 'payment_intent.succeeded' }, reason: 'chaos: a replay' };
  await client.send({ method: 'POST', path: '/v1/ops/webhook-events/replay', body });
}

async function foreignCustomer(arena: Arena): Promise<void> {
  await arena.client.once({
    method: 'POST',
    path: '/v1/payments',
    key: `customer-${Math.random()}`,
    body: { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa', customer: 'cus_nobody' },
  });
}

/** A payment that only its customer gives a tenant, and nobody has heard of the customer, because its own news are lost. */
async function paymentOfAStranger(arena: Arena): Promise<void> {
  await arena.fault({ fault: 'webhook_drop', event_type: 'customer.*', times: 3 });
  const { id: customer } = await arena.atStripe('/v1/customers', { 'metadata[tenant_id]': 'default' });
  await arena.atStripe('/v1/payment_intents', { amount: '4200', currency: 'usd', customer });
}

/** An operator holds back all calls, and then gives up what has queued meanwhile. */
async function giveUpTheQueue({ client }: Arena): Promise<void> {
  const reason = 'chaos: the queue is given up';
  const ops = (path: string, body: Record<string, unknown>) => client.send({ method: 'POST', path: `/v1/ops/${path}`, body });
  await ops('breakers/stripe/isolate', { reason });
  await client.send({
    method: 'POST',
    path: '/v1/payments',
    key: `queued-${Math.random()}`,
    headers: { prefer: 'respond-async' },
    body: { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' },
  });
  await ops('retries/dead-letter', { older_than_seconds: 0, reason });
  await ops('breakers/stripe/close', { reason });
}
