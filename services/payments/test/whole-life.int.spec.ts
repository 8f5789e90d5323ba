import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type PaymentView } from '@tidegate/contracts/responses';
import { DECLINED, type PaymentsWorld, paymentsWorld, VISA } from './payments-world.js';
import { catchUp } from './stripe-news.js';

jest.setTimeout(60_000);

const CHALLENGED = 'pm_card_threeDSecure2Required';
const DAY_MS = 86_400_000;

describe('In its whole life', () => {
  let world: PaymentsWorld;
  beforeAll(async () => {
    world = await paymentsWorld();
  });
  afterEach(() => world.simulator.clearFaults());
  afterAll(() => world.close());

  const codeOf = (reply: HttpReply) => world.json<{ code: string }>(reply).code;
  const summaries = async (id: string) => (await world.timeline(id)).map(({ summary }) => summary);
  const hear = (payment: PaymentView) => catchUp(world, payment.stripe_payment_intent);

  describe('a payment whose payer must act', () => {
    const challenged = () => world.created({ payment_method: CHALLENGED, return_url: 'https://shop.example/back' });

    it('says where to send the payer, and is charged when the payer has come back', async () => {
      const payment = await challenged();
      expect(payment).toMatchObject({
        status: 'requires_action',
        client_secret: expect.stringContaining('_secret_'),
        next_action: { type: 'redirect_to_url', redirect_to_url: { url: expect.any(String), return_url: 'https://shop.example/back' } },
      });
      await world.dashboard('complete_action', { payment_intent: payment.stripe_payment_intent });
      await hear(payment);
      expect(await world.get(payment.id)).toMatchObject({ status: 'succeeded', amount_captured: 4200 });
      expect(await summaries(payment.id)).toEqual(
        expect.arrayContaining([
          'The payer has to do something now, such as confirm with the bank (3-D Secure).',
          '42.00 USD was charged.',
        ]),
      );
    });

    it('without a return_url is told to act in the page itself', async () => {
      expect(await world.created({ payment_method: CHALLENGED })).toMatchObject({
        status: 'requires_action',
        next_action: { type: 'use_stripe_sdk' },
      });
    });

    it('waits for another method when the payer fails, and takes it', async () => {
      const payment = await challenged();
      await world.dashboard('complete_action', { payment_intent: payment.stripe_payment_intent, outcome: 'fail' });
      await hear(payment);
      expect(await world.get(payment.id)).toMatchObject({
        status: 'requires_payment_method',
        failure: { code: 'payment_intent_authentication_failure' },
      });
      expect(world.json(await world.confirm(payment.id, { payment_method: VISA })).status).toBe('succeeded');
    });

    it('that walks away leaves it waiting, which shows; canceled, it cannot be paid any more', async () => {
      const payment = await challenged();
      world.advance(3 * 3_600_000);
      await world.settle(0);
      const waiting = (await world.series('payments_pending_oldest_seconds'))['status="requires_action"'] ?? 0;
      expect(waiting).toBeGreaterThanOrEqual(3 * 3600);
      expect(world.json(await world.cancel(payment.id, { reason: 'abandoned' }))).toMatchObject({ status: 'canceled' });
      await expect(world.dashboard('complete_action', { payment_intent: payment.stripe_payment_intent })).rejects.toThrow(
        'waits for no action',
      );
      await hear(payment);
      expect(await world.get(payment.id)).toMatchObject({ status: 'canceled', amount_captured: 0 });
    });

    it('may pay with another method instead', async () => {
      const payment = await challenged();
      expect(world.json(await world.confirm(payment.id, { payment_method: VISA, return_url: 'https://shop.example/back' }))).toMatchObject({
        status: 'succeeded',
        amount_captured: 4200,
      });
      expect(world.intentsOf(payment.id)).toHaveLength(1);
    });

    it('is told where to go by a confirm, too, and its repetition says the same', async () => {
      const { id } = await world.created({ payment_method: DECLINED, return_url: 'https://shop.example/back' });
      const body = { payment_method: CHALLENGED, return_url: 'https://shop.example/again' };
      const reply = await world.confirm(id, body, 'acts');
      expect(world.json(reply)).toMatchObject({
        status: 'requires_action',
        next_action: { redirect_to_url: { return_url: 'https://shop.example/again' } },
      });
      expect((await world.confirm(id, body, 'acts')).body).toBe(reply.body);
    });
  });

  describe('a payment with a method whose outcome comes late', () => {
    /** The page confirms, because only the payer can agree to be debited. */
    const debited = async (payment_method: string): Promise<PaymentView> => {
      const payment = await world.created({ payment_method: undefined, return_url: 'https://shop.example/back' });
      await world.stripe(`payment_intents/${payment.stripe_payment_intent}/confirm`, {
        payment_method,
        return_url: 'https://shop.example/back',
        'mandate_data[customer_acceptance][type]': 'online',
        'mandate_data[customer_acceptance][online][ip_address]': '127.0.0.1',
        'mandate_data[customer_acceptance][online][user_agent]': 'test',
      });
      await hear(payment);
      return world.get(payment.id);
    };

    it('is processing for as long as it takes, and then succeeds', async () => {
      const payment = await debited('pm_usBankAccount_processing');
      expect(payment.status).toBe('processing');
      expect(codeOf(await world.confirm(payment.id, { payment_method: VISA }))).toBe('payments.illegal_state');

      const paid = await debited('pm_usBankAccount_success');
      world.advance(4 * DAY_MS);
      await hear(paid);
      expect(await world.get(paid.id)).toMatchObject({ status: 'succeeded', amount_captured: 4200 });
      expect((await world.series('payments_pending_oldest_seconds'))['status="processing"']).toBeGreaterThanOrEqual(4 * 86_400);
    });

    it('is processing and fails late, and then takes another method', async () => {
      const payment = await debited('pm_usBankAccount_insufficientFunds');
      world.advance(4 * DAY_MS);
      await hear(payment);
      expect(await world.get(payment.id)).toMatchObject({
        status: 'requires_payment_method',
        amount_captured: 0,
        failure: { code: 'insufficient_funds' },
      });
      const reply = await world.confirm(payment.id, { payment_method: VISA, return_url: 'https://shop.example/back' });
      expect(world.json(reply)).toMatchObject({ status: 'succeeded', amount_captured: 4200 });
    });
  });

  describe('an authorized payment', () => {
    const held = () => world.created({ capture_method: 'manual' });

    it('is captured in part, the rest is released, and no more than that can be refunded', async () => {
      const payment = await held();
      expect(payment).toMatchObject({ status: 'authorized', amount_captured: 0 });
      expect(world.json(await world.capture(payment.id, { amount: 3000 }))).toMatchObject({
        status: 'succeeded',
        amount: 4200,
        amount_captured: 3000,
      });
      expect(codeOf(await world.capture(payment.id, { amount: 1000 }))).toBe('payments.illegal_state');
      expect(codeOf(await world.refund(payment.id, { amount: 3001 }))).toBe('payments.refund_exceeds_captured');
      await hear(payment);
      expect(await world.get(payment.id)).toMatchObject({ amount_captured: 3000, amount_refunded: 0, refunds: [] });
      expect(await summaries(payment.id)).toContain('30.00 USD was charged; the other 12.00 USD was released.');
    });

    it('that nobody captures in seven days is canceled by Stripe, and says so', async () => {
      const payment = await held();
      world.advance(7 * DAY_MS + 60_000);
      await hear(payment);
      expect(await world.get(payment.id)).toMatchObject({ status: 'canceled', amount_captured: 0 });
      expect(await summaries(payment.id)).toContain(
        'Stripe canceled the payment: the authorization was not captured in time and has been released.',
      );
    });

    it('that expired is found canceled even when only the news of its charge came', async () => {
      const payment = await held();
      world.advance(7 * DAY_MS + 60_000);
      await catchUp(world, payment.stripe_payment_intent, (news) => news.filter((one) => one.envelope.type === 'charge.expired'));
      expect(await world.get(payment.id)).toMatchObject({ status: 'canceled' });
    });

    it('that expired before the capture came gets a certain no, and is canceled', async () => {
      const payment = await held();
      world.advance(7 * DAY_MS + 60_000);
      const reply = await world.capture(payment.id, {}, 'too-late');
      expect([reply.status, codeOf(reply)]).toEqual([422, 'payments.illegal_state']);
      expect(await world.get(payment.id)).toMatchObject({ status: 'canceled', amount_captured: 0 });
      expect((await world.capture(payment.id, {}, 'too-late')).body).toBe(reply.body);
    });

    it('is captured, canceled or refunded in the dashboard, and follows', async () => {
      const [captured, canceled] = [await held(), await held()];
      await world.stripe(`payment_intents/${captured.stripe_payment_intent}/capture`, { amount_to_capture: '2000' });
      await world.dashboard('cancel', { payment_intent: canceled.stripe_payment_intent, reason: 'requested_by_customer' });
      await world.dashboard('refund', { payment_intent: captured.stripe_payment_intent, amount: 500 });
      await hear(captured);
      await hear(canceled);
      expect(await world.get(captured.id)).toMatchObject({ status: 'succeeded', amount_captured: 2000, amount_refunded: 500 });
      expect(await world.get(canceled.id)).toMatchObject({ status: 'canceled', amount_captured: 0 });
    });
  });

  describe('a captured payment', () => {
    it('is refunded in several parts, never more than was captured', async () => {
      const { id } = await world.created();
      for (const amount of [1000, 1200, 1500]) expect((await world.refund(id, { amount })).status).toBe(201);
      expect(codeOf(await world.refund(id, { amount: 501 }))).toBe('payments.refund_exceeds_captured');
      expect(world.json<{ amount: number }>(await world.refund(id)).amount).toBe(500);
      expect(codeOf(await world.refund(id))).toBe('payments.refund_exceeds_captured');
      expect(await world.get(id)).toMatchObject({ status: 'succeeded', amount_refunded: 4200 });
    });

    it('counts a pending refund as given back, and then it has succeeded', async () => {
      const payment = await world.created({ payment_method: 'pm_card_pendingRefund' });
      expect(world.json<{ status: string }>(await world.refund(payment.id, { amount: 3000 })).status).toBe('pending');
      expect(codeOf(await world.refund(payment.id, { amount: 1201 }))).toBe('payments.refund_exceeds_captured');
      world.advance(DAY_MS);
      await hear(payment);
      expect(await world.get(payment.id)).toMatchObject({ amount_refunded: 3000, refunds: [{ status: 'succeeded' }] });
    });

    it('can be refunded again when a refund failed after it had succeeded, and says why it failed', async () => {
      const payment = await world.created({ payment_method: 'pm_card_refundFail' });
      expect(world.json<{ status: string }>(await world.refund(payment.id)).status).toBe('succeeded');
      expect(await world.get(payment.id)).toMatchObject({ amount_refunded: 4200 });
      world.advance(DAY_MS);
      await hear(payment);
      expect(await world.get(payment.id)).toMatchObject({
        status: 'succeeded',
        amount_refunded: 0,
        refunds: [{ status: 'failed', failure: { code: 'expired_or_canceled_card' } }],
      });
      expect(await summaries(payment.id)).toContain(
        'The refund of 42.00 USD failed (expired_or_canceled_card); the amount can be refunded again.',
      );
      expect((await world.refund(payment.id, { amount: 4200 })).status).toBe(201);
      expect(await world.get(payment.id)).toMatchObject({ amount_refunded: 4200 });
    });
  });

  describe("a customer's saved payment method", () => {
    const customer = async (): Promise<{ id: string; saved: string }> => {
      const { id } = await world.stripe('customers', { 'metadata[tenant_id]': 'default' });
      const { id: saved } = await world.stripe(`payment_methods/${VISA}/attach`, { customer: String(id) });
      return { id: String(id), saved: String(saved) };
    };

    it('is charged by its id, at once or by a later confirm', async () => {
      const { id, saved } = await customer();
      expect(await world.created({ customer: id, payment_method: saved })).toMatchObject({ status: 'succeeded' });
      const declined = await world.created({ customer: id, payment_method: DECLINED });
      expect(world.json(await world.confirm(declined.id, { payment_method: saved })).status).toBe('succeeded');
      expect(world.truth().intents.at(-1)).toMatchObject({ customer: id });
    });

    it('is saved by a payment, and charged later while the customer is away', async () => {
      const { id } = await world.stripe('customers', { 'metadata[tenant_id]': 'default' });
      const first = await world.created({
        customer: id,
        payment_method: 'pm_card_authenticationRequired',
        setup_future_usage: 'off_session',
        return_url: 'https://shop.example/back',
      });
      expect(first.status).toBe('requires_action');
      await world.dashboard('complete_action', { payment_intent: first.stripe_payment_intent });
      await hear(first);
      expect((await world.get(first.id)).status).toBe('succeeded');
      const saved = world.intentsOf(first.id)[0]?.payment_method;
      expect(await world.created({ customer: id, payment_method: saved, off_session: true })).toMatchObject({ status: 'succeeded' });
    });

    it('whose bank wants the customer who is away is declined, and paid when the customer is back', async () => {
      const { id } = await world.stripe('customers', { 'metadata[tenant_id]': 'default' });
      const { id: saved } = await world.stripe('payment_methods/pm_card_authenticationRequired/attach', { customer: String(id) });
      const away = await world.created({ customer: id, payment_method: saved, off_session: true });
      expect(away).toMatchObject({ status: 'requires_payment_method', failure: { code: 'authentication_required' } });
      const back = world.json(await world.confirm(away.id, { payment_method: saved }));
      expect(back).toMatchObject({ status: 'requires_action', next_action: { type: 'use_stripe_sdk' } });
      await world.dashboard('complete_action', { payment_intent: away.stripe_payment_intent });
      await hear(away);
      expect(await world.get(away.id)).toMatchObject({ status: 'succeeded', amount_captured: 4200 });
    });

    it('is refused for another customer and without one, and nothing is charged', async () => {
      const [{ id }, { saved }] = [await customer(), await customer()];
      for (const body of [{ customer: id, payment_method: saved }, { payment_method: saved }]) {
        const reply = await world.create(body);
        expect([reply.status, codeOf(reply)]).toEqual([422, 'payments.rejected_by_stripe']);
      }
      await world.settle();
      expect(world.truth().intents.slice(-2)).toMatchObject([{ status: 'canceled' }, { status: 'canceled' }]);
    });
  });
});
