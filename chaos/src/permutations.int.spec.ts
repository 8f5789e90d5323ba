import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CATALOGUE } from '@tidegate/contracts/catalogue';
import { isAbout, stripeSubject } from '@tidegate/contracts/events/stripe-event';
import { type CheckoutEvent, type Occurred as CheckoutOccurred } from '@tidegate/payments/checkout/checkout.events';
import { replay as replayCheckout } from '@tidegate/payments/checkout/checkout.evolve';
import { type Checkout } from '@tidegate/payments/checkout/checkout.state';
import { decideNews as decidePageNews } from '@tidegate/payments/checkout/news.decide';
import { decideTruth } from '@tidegate/payments/checkout/session.decide';
import { type Occurred, type PaymentEvent } from '@tidegate/payments/payment/payment.events';
import { replay } from '@tidegate/payments/payment/payment.evolve';
import { capturedOf, type Payment, statusOf } from '@tidegate/payments/payment/payment.state';
import { decideRefresh } from '@tidegate/payments/payment/refresh.decide';
import { decideNews } from '@tidegate/payments/stripe-events/stripe-event.decide';
import { amountsOf, standingOf, statusOf as objectStatusOf } from '@tidegate/reconciliation/projection/standing.decide';
import { createStripeAdapter } from '@tidegate/stripe-gateway/adapter';
import { isRelease } from '@tidegate/stripe-gateway/release';
import { isRetrievable } from '@tidegate/stripe-gateway/retrievable';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { normalizedEvent } from '@tidegate/webhooks/normalize/normalized-event.decide';
import { atStripe } from './at-stripe.js';
import { everyOrder } from './every-order.js';
import { newsOf, SECOND, type Told } from './flow-news.js';
import { type AtStripe, BILLING_FLOWS, CHECKOUT_FLOWS, type Flow, PAYMENT_FLOWS, PAYOUT_FLOWS } from './stripe-flows.js';

let simulator: Awaited<ReturnType<typeof simulatorForTests>>;
let stripe: ReturnType<typeof createStripeAdapter>;
let at: AtStripe;
beforeAll(async () => {
  simulator = await simulatorForTests();
  stripe = createStripeAdapter({ secretKey: 'sk_test_simulator', apiBase: simulator.url });
  at = atStripe(simulator.url);
});
afterAll(async () => {
  stripe.close();
  await simulator.close();
});

const AT = new Date(SECOND * 1000).toISOString();
const news = (flow: Flow): Promise<Told[]> => newsOf(flow, { simulator, stripe, at });

const byId = (a: { id: string | null }, b: { id: string | null }) => ((a.id ?? '') < (b.id ?? '') ? -1 : 1);

/** The highest snapshot of each object, in the order that reconciliation's projection has them. */
type Known = Record<string, Told>;

function joined(known: Known, told: Told): Known {
  const { id } = told.event.object;
  const before = known[id];
  return { ...known, [id]: before && order(before) > order(told) ? before : told };
}

function order({ event, asOf }: Told): string {
  const { standing, status_rank } = standingOf(event.object)!;
  const digits = (n: number) => String(n).padStart(20, '0');
  return [standing, asOf, status_rank, amountsOf(event.object).refunded ?? 0].map(digits).join() + event.stripe_event_id;
}

const kept = (told: readonly Told[]) => told.filter(({ event }) => standingOf(event.object) !== null);
const endsOf = (told: readonly Told[]) =>
  everyOrder<Known, Told>({}, kept(told), joined, (known) =>
    Object.values(known)
      .map(({ event }) => event.stripe_event_id)
      .sort()
      .join(),
  );

/** What Stripe shows of everything that was told of. */
async function truthOf(told: readonly Told[]): Promise<Record<string, string | null>> {
  const truth: Record<string, string | null> = {};
  for (const { event } of kept(told)) {
    const { object, id } = event.object;
    if (!isRetrievable(object)) continue;
    const now = await stripe.retrieveObject(object, id);
    const shown = normalizedEvent(
      {
        stripe_event_id: '',
        event_type: '',
        created: new Date(0),
        livemode: false,
        api_version: null,
        hint: true,
        message_id: null,
        payload: Buffer.from('{}'),
      },
      { object: now.kind === 'ok' ? now.value : { object, id, deleted: true } },
    );
    truth[id] = objectStatusOf(shown.object);
  }
  return truth;
}

const statuses = (known: Known) => Object.fromEntries(Object.entries(known).map(([id, { event }]) => [id, objectStatusOf(event.object)]));

/** Between these an intent comes and goes; payments asks Stripe, and reconciliation's table need not know. */
const OPEN = ['requires_payment_method', 'requires_action', 'processing'];
const withoutOpen = (all: Record<string, string | null>) =>
  Object.fromEntries(Object.entries(all).filter(([, status]) => !OPEN.includes(status ?? '')));

describe('Whatever happens at Stripe', () => {
  const flows = [...PAYMENT_FLOWS, ...CHECKOUT_FLOWS, ...BILLING_FLOWS, ...PAYOUT_FLOWS];
  it.each(flows.map((flow) => [flow.name, flow] as const))('%s is told in the words of the contracts', async (_name, flow) => {
    const told = await news(flow);
    expect(told.length).toBeGreaterThan(1);
    for (const { event } of told) {
      const subject = stripeSubject(event.type, event.object.object);
      const contract = CATALOGUE.find((one) => one.subject === subject);
      expect([subject, contract?.data.parse(event)]).toEqual([subject, event]);
    }
  });
});

describe('In every order of its events within one second', () => {
  it.each(PAYMENT_FLOWS.map((flow) => [flow.name, flow] as const))('%s ends as it ended at Stripe', async (_name, flow) => {
    const told = await news(flow);
    const id = told.find(({ event }) => event.object.payment_intent !== null)!.event.object.payment_intent!;
    const [intent, refunds, disputes] = [
      await stripe.retrieveIntent(id),
      await stripe.listRefunds({ payment_intent: id }),
      await stripe.listDisputes({ payment_intent: id }),
    ];
    if (intent.kind !== 'ok' || refunds.kind !== 'ok' || disputes.kind !== 'ok') throw new Error('Stripe was asked in vain');

    interface Heard {
      payment: Payment;
      refresh: boolean;
    }
    const add = (payment: Payment, events: readonly PaymentEvent[]) =>
      replay(
        events.map((event) => ({ ...event, at: AT }) as Occurred),
        payment,
      ) as Payment;
    const hear = ({ payment, refresh }: Heard, { event }: Told): Heard => {
      const meaning = decideNews(payment, event, `rfd_${event.object.id}`);
      if (meaning.kind === 'early') throw new Error('The intent is recorded');
      return { payment: add(payment, meaning.events), refresh: refresh || meaning.refresh };
    };
    const twice = (heard: Heard, one: Told): Heard => {
      const once = hear(heard, one);
      expect(keyOf(hear(once, one).payment)).toBe(keyOf(once.payment));
      return once;
    };
    const asked = ({ payment, refresh }: Heard): Payment =>
      refresh
        ? add(
            payment,
            decideRefresh(payment, intent.value, { refunds: refunds.value.data, disputes: disputes.value.data }, (one) => `rfd_${one}`)!,
          )
        : payment;
    const keyOf = ({ updated_at: _u, status_since: _s, published: _p, ...state }: Payment) => JSON.stringify(state);

    const before = awaited(id, intent.value.capture_method);
    const ends = everyOrder<Heard, Told>(
      { payment: before, refresh: false },
      told,
      twice,
      ({ payment, refresh }) => `${refresh} ${keyOf(payment)}`,
    );
    const truth = {
      status: intent.value.status === 'requires_capture' ? 'authorized' : intent.value.status,
      captured: intent.value.amount_received,
      refunds: refunds.value.data
        .filter((one) => !isRelease(one))
        .map((one) => ({ id: one.id, status: one.status, amount: one.amount }))
        .sort(byId),
      disputes: disputes.value.data
        .map((one) => ({ id: one.id, status: one.status, movements: one.balance_transactions.length }))
        .sort(byId),
    };
    expect(ends.length).toBeGreaterThan(0);
    for (const end of ends.map(asked))
      expect({
        status: statusOf(end),
        captured: capturedOf(end),
        refunds: end.refunds.map((one) => ({ id: one.stripe_refund, status: one.status, amount: one.amount })).sort(byId),
        disputes: end.disputes.map((one) => ({ id: one.id, status: one.status, movements: one.movements })).sort(byId),
      }).toEqual(truth);

    const [known, ...others] = endsOf(told);
    expect(others).toEqual([]);
    expect(withoutOpen(statuses(known!))).toEqual(withoutOpen(await truthOf(told)));
  });

  it.each(CHECKOUT_FLOWS.map((flow) => [flow.name, flow] as const))('%s ends as it ended at Stripe', async (_name, flow) => {
    const all = await news(flow);
    const told = all.filter(({ event }) => isAbout(event, 'checkout.session'));
    const session = await stripe.retrieveCheckoutSession(told[0]!.event.object.id);
    if (session.kind !== 'ok') throw new Error('Stripe was asked in vain');
    const now = new Date(SECOND * 1000);
    const debit = all.find(({ event }) => event.type === 'payment_intent.payment_failed');
    const payment = session.value.payment_status === 'paid' ? ('paid' as const) : debit ? ('failed' as const) : ('awaited' as const);

    interface Heard {
      checkout: Checkout;
      refresh: boolean;
    }
    const add = (checkout: Checkout, events: readonly CheckoutEvent[]) =>
      replayCheckout(
        events.map((event) => ({ ...event, at: AT }) as CheckoutOccurred),
        checkout,
      ) as Checkout;
    const hear = ({ checkout, refresh }: Heard, { event }: Told): Heard => {
      if (!isAbout(event, 'checkout.session')) throw new Error('Not about a page');
      const meaning = decidePageNews(checkout, event, now, { policy: 'accept', restored: false });
      return { checkout: add(checkout, meaning.events), refresh: refresh || meaning.refresh };
    };
    const keyOf = ({ refresh, checkout }: Heard) => `${refresh} ${JSON.stringify(checkout.lifecycle)}`;
    const start = { checkout: opened(session.value.id), refresh: false };
    const ends = everyOrder<Heard, Told>(start, told, hear, keyOf);
    const truth = { session: session.value, payment, completedAt: AT };
    const lifecycles = ends.map(
      ({ checkout, refresh }) => (refresh ? add(checkout, decideTruth(checkout, truth, now, 'accept') ?? []) : checkout).lifecycle,
    );
    for (const lifecycle of lifecycles) {
      expect(lifecycle.status).toBe(session.value.status);
      if (lifecycle.status === 'complete') expect(lifecycle.payment).toBe(payment);
    }

    const [known, ...others] = endsOf(all);
    expect(others).toEqual([]);
    expect(withoutOpen(statuses(known!))).toEqual(withoutOpen(await truthOf(all)));
  });

  it.each([...BILLING_FLOWS, ...PAYOUT_FLOWS].map((flow) => [flow.name, flow] as const))(
    '%s is known as Stripe shows it',
    async (_name, flow) => {
      const all = await news(flow);
      // What was paid for it is a payment like the others; too many events for all their orders.
      const told = all.filter(({ event }) => ['subscription', 'invoice', 'customer', 'payout'].includes(event.object.object));
      const [known, ...others] = endsOf(told);
      expect(others).toEqual([]);
      expect(statuses(known!)).toEqual(await truthOf(told));
    },
  );
});

/** A payment of ours whose intent is recorded and waits for a payment method, which comes by somebody else. */
function awaited(intent_id: string, capture_method: 'automatic' | 'manual'): Payment {
  const command_id = 'cmd_create_00000000000000000000000000000000';
  const terms = {
    payment_id: 'pay_00000000000000000000000000000001',
    tenant: 'default',
    origin: 'api' as const,
    livemode: false,
    amount: 4200,
    currency: 'usd',
    capture_method,
    customer: null,
    metadata: {},
    payment_method: null,
    not_after: AT,
  };
  const events: PaymentEvent[] = [
    { type: 'PaymentAccepted', data: { terms, command_id, queued: false } },
    { type: 'StepSubmitted', data: { command_id, step: 'intent', n: 1 } },
    { type: 'IntentRecorded', data: { intent_id } },
    { type: 'PaymentMethodAwaited', data: { mark: '-' } },
    { type: 'CommandCompleted', data: { command_id, rejection: null } },
  ];
  return replay(events.map((event) => ({ ...event, at: AT }) as Occurred)) as Payment;
}

function opened(stripe_session: string): Checkout {
  const command_id = 'cmd_checkout_create_1';
  const expires_at = SECOND + 82_800;
  const window_ends_at = new Date(expires_at * 1000).toISOString();
  const terms = {
    checkout_id: 'cks_00000001',
    tenant: 'default',
    livemode: false,
    amount: 4200,
    currency: 'usd',
    customer: null,
    metadata: {},
  };
  const events: CheckoutEvent[] = [
    { type: 'CheckoutAccepted', data: { terms, command_id, window_ends_at, expires_at } },
    { type: 'SessionOpened', data: { stripe_session, url: 'https://pay.example', expires_at } },
    { type: 'CommandCompleted', data: { command_id, rejection: null } },
  ];
  return replayCheckout(events.map((event) => ({ ...event, at: AT }) as CheckoutOccurred)) as Checkout;
}
