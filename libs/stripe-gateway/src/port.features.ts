import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { everyPage } from './every-page.js';
import { type StripePort } from './port.js';
import { isRelease } from './release.js';

export interface PortUnderTest {
  port: StripePort;
  close(): Promise<void>;
}

const VISA = 'pm_card_visa';
const order = {
  amount: 4200,
  currency: 'usd',
  captureMethod: 'automatic',
  allowRedirects: 'never',
  metadata: { payment_id: 'pay_1' },
} as const;

/** What every adapter of the port must do. */
export function portFeatures(name: string, open: () => Promise<PortUnderTest>): void {
  describe(`The Stripe port: ${name}`, () => {
    let subject: PortUnderTest;
    let keys = 0;
    const key = () => `features:${(keys += 1)}`;
    beforeAll(async () => {
      subject = await open();
    }, 60_000);
    afterAll(() => subject.close());

    async function intent(change: Partial<{ captureMethod: 'manual' }> = {}) {
      const outcome = await subject.port.createIntent({ ...order, ...change }, key());
      if (outcome.kind !== 'ok') throw new Error(`Expected an intent, got ${outcome.kind}`);
      return outcome.value;
    }

    it('creates an unconfirmed intent with our metadata and a client_secret', async () => {
      expect(await intent()).toMatchObject({
        status: 'requires_payment_method',
        amount: 4200,
        metadata: { payment_id: 'pay_1' },
        client_secret: expect.any(String),
        latest_charge: null,
      });
    });

    it('answers the same key with the same intent, and other parameters under it with unknown', async () => {
      const again = key();
      const [first, second] = [await subject.port.createIntent(order, again), await subject.port.createIntent(order, again)];
      expect(first.kind === 'ok' && second.kind === 'ok' && first.value.id === second.value.id).toBe(true);
      expect(await subject.port.createIntent({ ...order, amount: 1 }, again)).toMatchObject({ kind: 'unknown', cause: 'key_conflict' });
    });

    it('confirms and tells charge and card', async () => {
      const { id } = await intent();
      const outcome = await subject.port.confirmIntent(id, { paymentMethod: VISA }, key());
      expect(outcome).toMatchObject({
        kind: 'ok',
        value: { status: 'succeeded', amount_received: 4200, card: { brand: 'visa', last4: '4242' } },
      });
    });

    it('tells a decline with the intent as it is then', async () => {
      const { id } = await intent();
      const outcome = await subject.port.confirmIntent(id, { paymentMethod: 'pm_card_visa_chargeDeclined' }, key());
      expect(outcome).toMatchObject({ kind: 'declined', code: 'card_declined', intent: { id, status: 'requires_payment_method' } });
    });

    it('rejects what the state does not allow, with the intent', async () => {
      const { id } = await intent();
      expect(await subject.port.captureIntent(id, {}, key())).toMatchObject({
        kind: 'rejected',
        code: 'payment_intent_unexpected_state',
        intent: { id },
      });
    });

    it('captures in part, refunds, and lists what there is', async () => {
      const { id } = await intent({ captureMethod: 'manual' });
      await subject.port.confirmIntent(id, { paymentMethod: VISA }, key());
      expect(await subject.port.captureIntent(id, { amount: 4000 }, key())).toMatchObject({
        kind: 'ok',
        value: { status: 'succeeded', amount_received: 4000 },
      });
      const refund = await subject.port.createRefund({ intent: id, amount: 100, metadata: { refund_id: 'rfd_1' } }, key());
      expect(refund).toMatchObject({
        kind: 'ok',
        value: { status: 'succeeded', amount: 100, payment_intent: id, metadata: { refund_id: 'rfd_1' } },
      });
      const refunds = await subject.port.listRefunds({ payment_intent: id });
      expect(refunds).toMatchObject({
        kind: 'ok',
        value: { data: [{ amount: 100 }, { amount: 200, status: 'succeeded', balance_transaction: null }], has_more: false },
      });
      expect(refunds.kind === 'ok' && refunds.value.data.map(isRelease)).toEqual([false, true]);
      // The part that a smaller capture released counts as refunded on the charge.
      expect(await subject.port.listCharges({ payment_intent: id })).toMatchObject({
        kind: 'ok',
        value: { data: [{ amount_captured: 4000, amount_refunded: 300 }] },
      });
    });

    it('tells each movement of the balance, what Stripe kept of it, and what moved it', async () => {
      const { id } = await intent();
      await subject.port.confirmIntent(id, { paymentMethod: VISA }, key());
      const movement = await eventually(async () => {
        const page = await subject.port.listBalanceTransactions({});
        const found = page.kind === 'ok' ? page.value.data.find((one) => one.source?.payment_intent === id) : undefined;
        return found ?? Promise.reject(new Error('The charge has not settled yet'));
      });
      expect(movement).toMatchObject({
        amount: 4200,
        net: 4200 - movement.fee,
        currency: 'usd',
        exchange_rate: null,
        type: 'charge',
        source: { object: 'charge', amount: 4200, currency: 'usd', metadata: { payment_id: 'pay_1' } },
      });
      expect(movement.fee).toBeGreaterThan(0);
      expect(await subject.port.listBalanceTransactions({ source: movement.source?.id ?? '' })).toMatchObject({
        kind: 'ok',
        value: { data: [movement], has_more: false },
      });
      expect(await subject.port.retrieveBalanceTransaction(movement.id)).toMatchObject({ kind: 'ok', value: movement });
      expect((await subject.port.retrieveBalanceTransaction('txn_nobody')).kind).toBe('not_found');
    });

    it('tells the dispute of a charge, and what was taken for it', async () => {
      const { id } = await intent();
      await subject.port.confirmIntent(id, { paymentMethod: 'pm_card_createDispute' }, key());
      const [dispute] = await eventually(async () => {
        const page = await subject.port.listDisputes({ payment_intent: id });
        if (page.kind !== 'ok' || page.value.data.length === 0) throw new Error('Not disputed yet');
        return page.value.data;
      });
      expect(dispute).toMatchObject({
        status: 'needs_response',
        amount: 4200,
        payment_intent: id,
        balance_transactions: [{ amount: -4200, fee: expect.any(Number), currency: 'usd' }],
        evidence_details: { due_by: expect.any(Number) },
      });
      expect(await subject.port.retrieveDispute(dispute?.id ?? '')).toMatchObject({ kind: 'ok', value: dispute });
      expect(await subject.port.retrieveIntent(id)).toMatchObject({ kind: 'ok', value: { disputed: true } });
      expect((await subject.port.retrieveDispute('du_nobody')).kind).toBe('not_found');
    });

    it('reads an object as Stripe renders it at the pinned version, and tells one that is not there', async () => {
      const { id } = await intent();
      await subject.port.confirmIntent(id, { paymentMethod: VISA }, key());
      const read = await subject.port.retrieveObject('payment_intent', id);
      expect(read).toMatchObject({
        kind: 'ok',
        value: {
          object: 'payment_intent',
          id,
          capture_method: 'automatic_async',
          latest_charge: { object: 'charge', status: 'succeeded' },
        },
      });
      // Gone since 2022-11-15: what a version before the pinned one would show.
      expect(read.kind === 'ok' && 'charges' in read.value).toBe(false);
      expect((await subject.port.retrieveObject('subscription', 'sub_nobody')).kind).toBe('not_found');
    });

    it('cancels', async () => {
      const { id } = await intent();
      expect(await subject.port.cancelIntent(id, { reason: 'abandoned' }, key())).toMatchObject({
        kind: 'ok',
        value: { status: 'canceled', cancellation_reason: 'abandoned' },
      });
    });

    it('makes a customer once per key, lists it with our metadata, and deletes it', async () => {
      const again = key();
      const wanted = { email: 'a@example.com', name: 'A', locale: 'de', metadata: { command_id: 'cmd_1' } };
      const [first, second] = [await subject.port.createCustomer(wanted, again), await subject.port.createCustomer(wanted, again)];
      if (first.kind !== 'ok' || second.kind !== 'ok') throw new Error('Expected customers');
      const { id } = first.value;
      expect(second.value.id).toBe(id);
      expect(await subject.port.listCustomers({})).toMatchObject({
        kind: 'ok',
        value: { data: [{ id, metadata: { command_id: 'cmd_1' } }] },
      });
      expect(await subject.port.deleteCustomer(id)).toMatchObject({ kind: 'ok', value: { id, deleted: true } });
      expect((await subject.port.deleteCustomer(id)).kind).toBe('not_found');
      expect(await subject.port.retrieveCustomer(id)).toMatchObject({ kind: 'ok', value: { deleted: true } });
    });

    async function session() {
      const expiresAt = Math.floor(Date.now() / 1000) + 7200;
      const urls = { successUrl: 'https://shop.example/done?id={CHECKOUT_SESSION_ID}', cancelUrl: 'https://shop.example/back' };
      const lineItems = [{ name: 'Vase', quantity: 2, unitAmount: 2100 }];
      const params = { currency: 'usd', lineItems, ...urls, expiresAt, metadata: { checkout_id: 'cks_1' } };
      const again = key();
      const [first, second] = [
        await subject.port.createCheckoutSession(params, again),
        await subject.port.createCheckoutSession(params, again),
      ];
      if (first.kind !== 'ok' || second.kind !== 'ok') throw new Error('Expected sessions');
      expect(second.value.id).toBe(first.value.id);
      return { expiresAt, ...first.value };
    }

    it('opens a checkout session once per key, with our metadata and the end that was asked for', async () => {
      const { expiresAt, ...opened } = await session();
      expect(opened).toMatchObject({
        status: 'open',
        payment_status: 'unpaid',
        url: expect.stringMatching(/^http/),
        expires_at: expiresAt,
        amount_total: 4200,
        payment_intent: null,
        metadata: { checkout_id: 'cks_1' },
      });
      const listed = await subject.port.listCheckoutSessions({ created: { gte: opened.created } });
      expect(listed.kind === 'ok' && listed.value.data.map((one) => one.id)).toContain(opened.id);
    });

    it('expires a session once, and refuses what is not open', async () => {
      const { id } = await session();
      const once = key();
      expect(await subject.port.expireCheckoutSession(id, once)).toMatchObject({ kind: 'ok', value: { status: 'expired', url: null } });
      expect(await subject.port.expireCheckoutSession(id, once)).toMatchObject({ kind: 'ok', value: { status: 'expired' } });
      expect((await subject.port.expireCheckoutSession(id, key())).kind).toBe('rejected');
      expect(await subject.port.retrieveCheckoutSession(id)).toMatchObject({ kind: 'ok', value: { status: 'expired' } });
    });

    it('takes usage once per identifier, and sums it up by the hour', async () => {
      const made = await subject.port.createCustomer({ metadata: {} }, key());
      if (made.kind !== 'ok') throw new Error('Expected a customer');
      const customer = made.value.id;
      const meters = await everyPage((query) => subject.port.listMeters(query), {});
      const meter = meters.kind === 'ok' ? meters.value.find((one) => one.event_name === 'features_calls') : undefined;
      if (!meter) throw new Error('Whoever opens the port makes a meter features_calls');
      expect(meter).toMatchObject({ formula: 'sum', status: 'active', customer_key: 'stripe_customer_id', value_key: 'value' });
      const hour = Math.floor(Date.now() / 3_600_000) * 3600;
      const usage = { meter, customer, value: '2.5', identifier: `use:${customer}:1`, timestamp: hour - 3600 };
      expect(await subject.port.createMeterEvent(usage)).toMatchObject({ kind: 'ok', value: { duplicate: false } });
      expect(await subject.port.createMeterEvent(usage)).toMatchObject({ kind: 'ok', value: { duplicate: true } });
      const back = { ...usage, value: '-1', identifier: `use:${customer}:2`, timestamp: hour - 1 };
      expect(await subject.port.createMeterEvent(back)).toMatchObject({ kind: 'ok', value: { duplicate: false } });
      const summaries = await everyPage((query) => subject.port.listMeterSummaries(meter.id, query), {
        customer,
        start: hour - 7200,
        end: hour,
      });
      expect(summaries.kind === 'ok' && summaries.value.map(({ start, value }) => [start, value])).toEqual([
        [hour - 3600, 1.5],
        [hour - 7200, 0],
      ]);
      const old = { ...usage, identifier: `use:${customer}:3`, timestamp: hour - 36 * 86_400 };
      expect(await subject.port.createMeterEvent(old)).toMatchObject({ kind: 'rejected', code: 'timestamp_too_far_in_past' });
    });

    it('reads lists to the end, page by page', async () => {
      const ids = [(await intent()).id, (await intent()).id, (await intent()).id];
      const all = await everyPage((query) => subject.port.listIntents({ ...query, limit: 1 }), {});
      expect(all.kind === 'ok' && ids.every((id) => all.value.some((one) => one.id === id))).toBe(true);
    });

    it('reads a subscription, its invoice, and what pays that, by each other’s ids', async () => {
      const customer = await subject.port.createCustomer({ metadata: {} }, key());
      if (customer.kind !== 'ok') throw new Error('Expected a customer');
      const none = await subject.port.listSubscriptions({ customer: customer.value.id });
      expect(none).toMatchObject({ kind: 'ok', value: { data: [], has_more: false } });
      const all = await everyPage((query) => subject.port.listSubscriptions({ ...query, limit: 1 }), {});
      const over = all.kind === 'ok' ? all.value.find((one) => one.status === 'canceled') : undefined;
      if (!over) throw new Error('Whoever opens the port makes a subscription, pays it, and cancels it');
      expect(await subject.port.retrieveSubscription(over.id)).toMatchObject({ kind: 'ok', value: over });
      const invoices = await subject.port.listInvoices({ subscription: over.id });
      expect(invoices).toMatchObject({ kind: 'ok', value: { data: [{ id: over.latest_invoice, status: 'paid', subscription: over.id }] } });
      const invoice = await subject.port.retrieveInvoice(over.latest_invoice ?? '');
      if (invoice.kind !== 'ok') throw new Error('Expected an invoice');
      expect(invoice.value).toMatchObject({ amount: 3000, amount_remaining: 0, action_required: false, failure: null });
      expect(invoice.value.metadata).toEqual({ tenant_id: 'default' });
      const { lines, more_lines, finalized_at } = invoice.value;
      expect([lines.length, more_lines, finalized_at]).toEqual([1, false, expect.any(Number)]);
      const [line] = lines;
      expect(line).toMatchObject({ subscription: over.id, recurring: true, quantity: '1', price: over.items[0]?.price });
      const listed = await everyPage((query) => subject.port.listInvoiceLines(invoice.value.id, query), {});
      expect(listed).toEqual({ kind: 'ok', value: lines });
      expect(await subject.port.retrievePrice(line?.price ?? '')).toMatchObject({
        kind: 'ok',
        value: { id: line?.price, meter: null, transforms: false, flat_tiers: false },
      });
      const [payment_intent = ''] = invoice.value.payment_intents;
      expect(await subject.port.listInvoicePayments({ payment_intent })).toMatchObject({
        kind: 'ok',
        value: { data: [{ invoice: invoice.value.id, payment_intent, status: 'paid' }] },
      });
    });

    it('knows what is not there', async () => {
      expect((await subject.port.retrieveIntent('pi_nobody')).kind).toBe('not_found');
      expect((await subject.port.retrieveCustomer('cus_nobody')).kind).toBe('not_found');
      expect((await subject.port.retrieveCheckoutSession('cs_test_nobody')).kind).toBe('not_found');
      expect((await subject.port.retrieveSubscription('sub_nobody')).kind).toBe('not_found');
      expect((await subject.port.retrieveSetupIntent('seti_nobody')).kind).toBe('not_found');
      expect((await subject.port.retrieveInvoice('in_nobody')).kind).toBe('not_found');
      expect((await subject.port.listInvoiceLines('in_nobody', {})).kind).toBe('not_found');
      expect((await subject.port.retrievePrice('price_nobody')).kind).toBe('not_found');
    });
  });
}
