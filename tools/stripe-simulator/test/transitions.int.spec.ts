import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type IntentStatus } from '../src/payment-intents/payment-intent.js';
import { ALLOWED_FROM, type IntentOperation, OUTCOMES, type OutcomeName } from '../src/payment-intents/transitions.js';
import { type Given, PAY, control, errorOf, eventually, givenSimulator } from './given.js';

let given: Given;
let stripe: Stripe;
beforeAll(async () => {
  given = await givenSimulator();
  ({ stripe } = given);
});
afterAll(() => given.end());

const DEBIT = {
  payment_method: 'pm_usBankAccount_success',
  mandate_data: { customer_acceptance: { type: 'offline' } },
} as const;
const AUTHENTICATE = 'pm_card_threeDSecure2Required';

/** How an intent gets into a state. */
const INTO: Record<IntentStatus, () => Promise<Stripe.PaymentIntent>> = {
  processing: () => stripe.paymentIntents.create({ ...PAY, ...DEBIT, payment_method: 'pm_usBankAccount_processing' }),
  requires_payment_method: () => stripe.paymentIntents.create({ ...PAY, confirm: false, payment_method: undefined as unknown as string }),
  requires_confirmation: () => stripe.paymentIntents.create({ ...PAY, confirm: false }),
  requires_action: () => stripe.paymentIntents.create({ ...PAY, payment_method: AUTHENTICATE }),
  requires_capture: () => stripe.paymentIntents.create({ ...PAY, capture_method: 'manual' }),
  succeeded: () => stripe.paymentIntents.create(PAY),
  canceled: async () => stripe.paymentIntents.cancel((await stripe.paymentIntents.create({ ...PAY, confirm: false })).id),
};

const DO: Readonly<Record<IntentOperation, (id: string) => Promise<Stripe.PaymentIntent>>> = {
  update_amount: (id) => stripe.paymentIntents.update(id, { amount: 2500 }),
  confirm: (id) => stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_visa' }),
  capture: (id) => stripe.paymentIntents.capture(id),
  cancel: (id) => stripe.paymentIntents.cancel(id),
};

describe('The table of states and operations', () => {
  const cells = (Object.keys(DO) as IntentOperation[]).flatMap((operation) =>
    (Object.keys(INTO) as IntentStatus[]).map((status) => [operation, status] as const),
  );

  it.each(cells)('decides about %s in %s', async (operation, status) => {
    const intent = await INTO[status]();
    expect(intent.status).toBe(status);
    if (ALLOWED_FROM[operation].includes(status)) return expect((await DO[operation](intent.id)).id).toBe(intent.id);
    const error = await errorOf(DO[operation](intent.id));
    expect(error).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state', payment_intent: { id: intent.id, status } });
  });
});

describe('The table of outcomes', () => {
  const create = (more: object = {}): Promise<Stripe.PaymentIntent> => stripe.paymentIntents.create({ ...PAY, ...more });
  const manual = (): Promise<Stripe.PaymentIntent> => create({ capture_method: 'manual' });
  const ready = (more: object = {}): Promise<Stripe.PaymentIntent> => create({ confirm: false, ...more });
  const finish = async (outcome: string): Promise<void> => {
    const { id } = await create({ payment_method: AUTHENTICATE });
    start = eventCount();
    await control(given.simulator, 'POST', '/__dashboard/complete_action', { payment_intent: id, outcome });
  };
  let start = 0;
  const eventCount = (): number => given.simulator.world.events.records.size;

  /** Each brings its outcome about and sets `start` before the last step. */
  const BRING: Readonly<Record<OutcomeName, () => Promise<unknown>>> = {
    created: () => mark(() => stripe.paymentIntents.create({ amount: 500, currency: 'usd' })),
    created_with_method: () => mark(() => ready()),
    succeeded: async () => then(await ready(), (id) => stripe.paymentIntents.confirm(id)),
    authorized: async () => then(await ready({ capture_method: 'manual' }), (id) => stripe.paymentIntents.confirm(id)),
    declined: async () =>
      then(await ready(), (id) => errorOf(stripe.paymentIntents.confirm(id, { payment_method: 'pm_card_chargeDeclined' }))),
    processing: async () =>
      then(await ready({ payment_method: DEBIT.payment_method }), (id) => stripe.paymentIntents.confirm(id, DEBIT)),
    debit_failed: async () => then(await create({ ...DEBIT, payment_method: 'pm_usBankAccount_noAccount' }), () => failed()),
    action_required: async () => then(await ready(), (id) => stripe.paymentIntents.confirm(id, { payment_method: AUTHENTICATE })),
    authentication_failed: () => finish('fail'),
    captured: async () => then(await manual(), (id) => stripe.paymentIntents.capture(id)),
    canceled: async () => then(await ready(), (id) => stripe.paymentIntents.cancel(id)),
    released: async () => then(await manual(), (id) => stripe.paymentIntents.cancel(id)),
    expired: async () => then(await manual(), () => Promise.resolve(given.simulator.advanceClock(8 * 86_400))),
  };
  const failed = (): Promise<unknown> => eventually(() => given.simulator.world.paymentIntents.all()[0]?.last_payment_error);
  const mark = (step: () => Promise<unknown>): Promise<unknown> => {
    start = eventCount();
    return step();
  };
  const then = ({ id }: Stripe.PaymentIntent, step: (id: string) => Promise<unknown>): Promise<unknown> => mark(() => step(id));

  it.each(Object.keys(OUTCOMES) as OutcomeName[])('%s: exactly its events, in its state', async (name) => {
    given.simulator.reset();
    await BRING[name]();
    const written = given.simulator.world.events.records
      .all()
      .slice(start)
      .map(({ event }) => event);
    const settling = written.filter(({ type }) => type !== 'charge.updated');
    expect(settling.map(({ type }) => type)).toEqual(OUTCOMES[name].events);
    expect(given.simulator.world.paymentIntents.all()[0]?.status).toBe(OUTCOMES[name].status);
    const automatic = name === 'expired' || name === 'debit_failed';
    for (const event of settling) expect(event.request.id).toEqual(automatic ? null : expect.stringMatching(/^req_/));
  });

  it('tells the request and its key in events', async () => {
    given.simulator.reset();
    const intent = await stripe.paymentIntents.create(PAY, { idempotencyKey: 'told' });
    for (const { event } of given.simulator.world.events.records.all()) {
      expect(event.request).toEqual({ id: intent.lastResponse.requestId, idempotency_key: 'told' });
    }
  });
});
