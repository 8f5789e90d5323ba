import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { OUTCOMES, type OutcomeName } from '../src/checkout/transitions.js';
import { type Given, control, errorOf, givenSimulator } from './given.js';
import { changesIn } from './told.js';

let given: Given;
let stripe: Stripe;
let price: string;
beforeAll(async () => {
  given = await givenSimulator({ balanceDelayMs: 3_600_000_000, debitDelayMs: 3_600_000 });
  ({ stripe } = given);
});
beforeEach(async () => {
  given.simulator.reset();
  price = (await stripe.prices.create({ currency: 'usd', unit_amount: 900, product_data: { name: 'Tea' } })).id;
});
afterAll(() => given.end());

const create = (more: object = {}): Promise<Stripe.Checkout.Session> =>
  stripe.checkout.sessions.create({ mode: 'payment', success_url: 'https://shop.example', line_items: [{ price, quantity: 1 }], ...more });
const pay = async (session: string, payment_method = 'pm_card_visa'): Promise<number> =>
  (await control(given.simulator, 'POST', '/__dashboard/pay_checkout', { session, payment_method })).status;

const AUTOMATIC: readonly string[] = ['expired', 'paid_later', 'failed_later'];

describe('The table of outcomes of a session', () => {
  let start = 0;
  const mark = (): void => {
    start = given.simulator.world.events.records.size;
  };
  const before = async (step: () => Promise<unknown>): Promise<void> => {
    mark();
    await step();
  };
  const intentOf = async (id: string): Promise<string> => (await stripe.checkout.sessions.retrieve(id)).payment_intent as string;

  const BRING: Readonly<Record<OutcomeName, () => Promise<unknown>>> = {
    created: () => before(() => create()),
    paid: async () => create().then(({ id }) => before(() => pay(id))),
    authorized: async () => create({ payment_intent_data: { capture_method: 'manual' } }).then(({ id }) => before(() => pay(id))),
    captured: async () => {
      const { id } = await create({ payment_intent_data: { capture_method: 'manual' } });
      await pay(id);
      const intent = await intentOf(id);
      await before(() => stripe.paymentIntents.capture(intent));
    },
    free: async () => {
      const free = await stripe.prices.create({ currency: 'usd', unit_amount: 0, product_data: { name: 'Sample' } });
      const { id } = await create({ line_items: [{ price: free.id, quantity: 1 }] });
      await before(() => pay(id));
    },
    declined: async () => create().then(({ id }) => before(() => pay(id, 'pm_card_chargeDeclined'))),
    action_required: async () => create().then(({ id }) => before(() => pay(id, 'pm_card_threeDSecure2Required'))),
    authenticated: async () => {
      const { id } = await create();
      await pay(id, 'pm_card_threeDSecure2Required');
      const intent = await intentOf(id);
      await before(() => control(given.simulator, 'POST', '/__dashboard/complete_action', { payment_intent: intent }));
    },
    paid_after_decline: async () => {
      const { id } = await create();
      await pay(id, 'pm_card_chargeDeclined');
      await before(() => pay(id));
    },
    pending: async () => create().then(({ id }) => before(() => pay(id, 'pm_usBankAccount_success'))),
    paid_later: async () => {
      await pay((await create()).id, 'pm_usBankAccount_success');
      await before(() => Promise.resolve(given.simulator.advanceClock(3_601)));
    },
    failed_later: async () => {
      await pay((await create()).id, 'pm_usBankAccount_accountClosed');
      await before(() => Promise.resolve(given.simulator.advanceClock(3_601)));
    },
    expired: async () => {
      await create();
      mark();
      given.simulator.advanceClock(86_401);
    },
    expired_after_decline: async () => {
      const { id } = await create();
      await pay(id, 'pm_card_chargeDeclined');
      await before(() => stripe.checkout.sessions.expire(id));
    },
  };

  it.each(Object.keys(OUTCOMES) as OutcomeName[])('%s: exactly its events, in its state', async (name) => {
    await BRING[name]();
    const written = given.simulator.world.events.records
      .all()
      .slice(start)
      .map(({ event }) => event)
      .filter(({ type }) => type !== 'charge.updated');
    expect(written.map(({ type }) => type)).toEqual(OUTCOMES[name].events);
    expect(changesIn(written)).toEqual([]);
    expect(given.simulator.world.checkoutSessions.all()[0]).toMatchObject({
      status: OUTCOMES[name].status,
      payment_status: OUTCOMES[name].paymentStatus,
    });
    for (const event of written) expect(event.request.id).toEqual(AUTOMATIC.includes(name) ? null : expect.stringMatching(/^req_/));
  });

  it('refuses an unknown session with 404', async () => {
    expect(await errorOf(stripe.checkout.sessions.expire('cs_test_x'))).toMatchObject({ statusCode: 404, code: 'resource_missing' });
  });
});
