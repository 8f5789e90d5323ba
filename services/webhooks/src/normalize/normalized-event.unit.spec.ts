import { describe, expect, it } from '@jest/globals';
import { NormalizedStripeEvent } from '@tidegate/contracts/events/stripe-event';
import { normalizedEvent, referenceOf, type StoredStripeEvent } from './normalized-event.decide.js';
import { aggregateOf } from './object/normalized-object.decide.js';
import { namedTenant } from './tenant.decide.js';

const row = (object: unknown, changes: Partial<StoredStripeEvent> & { request?: unknown } = {}): StoredStripeEvent => ({
  stripe_event_id: 'evt_1',
  event_type: 'payment_intent.succeeded',
  created: new Date('2026-11-21T06:00:00Z'),
  livemode: false,
  api_version: '2026-10-28.endive',
  hint: false,
  message_id: null,
  payload: Buffer.from(JSON.stringify({ id: 'evt_1', object: 'event', data: { object }, request: changes.request ?? null })),
  ...changes,
});

const shown = (object: object | null) => ({ object });

const intent = {
  id: 'pi_1',
  object: 'payment_intent',
  status: 'succeeded',
  created: 1795240799,
  amount: 4200,
  amount_received: 4200,
  amount_capturable: 0,
  currency: 'usd',
  capture_method: 'automatic_async',
  cancellation_reason: null,
  latest_charge: 'ch_1',
  customer: null,
  last_payment_error: null,
  client_secret: 'pi_1_secret_shh',
  metadata: { payment_id: 'pay_4f1c2b7a', tenant_id: 'other' },
};

describe('A normalized event', () => {
  it('says of a payment intent what the contract names, and nothing else', () => {
    const event = normalizedEvent(row(intent, { request: { id: 'req_1', idempotency_key: 'cmd:confirm:1' } }), null);

    expect(NormalizedStripeEvent.strict().parse(event)).toEqual(event);
    expect(event).toMatchObject({
      type: 'payment_intent.succeeded',
      created: 1795240800,
      hint: false,
      request_idempotency_key: 'cmd:confirm:1',
    });
    expect(event.object).toMatchObject({
      id: 'pi_1',
      payment_intent: 'pi_1',
      charge: 'ch_1',
      amount: 4200,
      amount_captured: 4200,
      status: 'succeeded',
    });
    expect(JSON.stringify(event)).not.toContain('secret');
    expect(namedTenant(event.object.metadata)).toBe('other');
    expect(aggregateOf(event.object)).toBe('pi_1');
  });

  it('says of a customer whose it is, and nothing about the person', () => {
    const person = { email: 'ada@example.com', name: 'Ada', address: { city: 'London' }, preferred_locales: ['en'] };
    const metadata = { tenant_id: 'other', command_id: 'cmd_customer_create_1', note: 'Ada, ada@example.com' };
    const customer = { id: 'cus_1', object: 'customer', created: 1795240799, ...person, metadata };
    const event = normalizedEvent(row(customer, { event_type: 'customer.created' }), null);
    expect(event.object.metadata).toEqual({ tenant_id: 'other', command_id: 'cmd_customer_create_1' });
    expect(JSON.stringify(event)).not.toMatch(/ada@|london/i);
    expect(namedTenant(event.object.metadata)).toBe('other');
  });

  it('says of a checkout session how it stands, and not where it can be paid or who pays', () => {
    const session = {
      id: 'cs_1',
      object: 'checkout.session',
      status: 'complete',
      payment_status: 'unpaid',
      payment_intent: 'pi_1',
      amount_total: 4200,
      currency: 'usd',
      url: 'https://checkout.example/secret',
      customer_details: { email: 'payer@example.com' },
      metadata: { checkout_id: 'cks_4f1c2b7a', tenant_id: 'other' },
    };
    const event = normalizedEvent(row(session, { event_type: 'checkout.session.completed' }), null);
    expect(NormalizedStripeEvent.strict().parse(event)).toEqual(event);
    expect(event.object).toMatchObject({ id: 'cs_1', status: 'complete', payment_status: 'unpaid', payment_intent: 'pi_1', amount: 4200 });
    expect(JSON.stringify(event)).not.toMatch(/secret|payer@/);
    expect(namedTenant(event.object.metadata)).toBe('other');
    expect(aggregateOf(event.object)).toBe('pi_1');
  });

  it('says why a payment intent was declined', () => {
    const declined = {
      ...intent,
      status: 'requires_payment_method',
      last_payment_error: { type: 'card_error', code: 'card_declined', decline_code: 'lost_card', message: 'Your card was declined.' },
    };
    expect(normalizedEvent(row(declined), null).object).toMatchObject({
      failure: { code: 'card_declined', decline_code: 'lost_card', message: 'Your card was declined.' },
    });
  });

  it('says why something failed without the mail address that the words may quote', () => {
    const failed = { code: 'email_invalid', message: 'Invalid email address: ada@example.com' };
    const charge = { id: 'ch_1', object: 'charge', failure_code: failed.code, failure_message: failed.message };
    for (const object of [{ ...intent, last_payment_error: failed }, charge])
      expect(normalizedEvent(row(object), null).object).toMatchObject({ failure: { message: 'Invalid email address: [mail address]' } });
  });

  it('says of a dispute what was taken and came back, also when it was retrieved', () => {
    const dispute = {
      id: 'du_1',
      object: 'dispute',
      status: 'won',
      created: 1795240799,
      amount: 4200,
      currency: 'eur',
      reason: 'fraudulent',
      charge: 'ch_1',
      payment_intent: 'pi_1',
      evidence: { customer_name: 'Ada' },
      evidence_details: { due_by: 1796000000, has_evidence: true },
      balance_transactions: [
        { amount: -4500, fee: 1500, currency: 'usd', net: -6000 },
        { amount: 4500, fee: 0, currency: 'usd', net: 4500 },
      ],
      metadata: {},
      livemode: false,
    };
    const event = normalizedEvent(row(dispute, { event_type: 'charge.dispute.closed' }), null);
    expect(NormalizedStripeEvent.strict().parse(event)).toEqual(event);
    expect(event.object).toMatchObject({ id: 'du_1', status: 'won', payment_intent: 'pi_1', charge: 'ch_1', amount: 4200 });
    expect('dispute' in event.object && event.object.dispute).toEqual({
      reason: 'fraudulent',
      due_by: 1796000000,
      movements: 2,
      currency: 'usd',
      withdrawn: 4500,
      reinstated: 4500,
      fee: 1500,
    });
    expect(JSON.stringify(event)).not.toContain('Ada');
    expect(aggregateOf(event.object)).toBe('pi_1');
    const swept = normalizedEvent(row(dispute, { event_type: 'charge.dispute.closed', hint: true }), shown(dispute));
    expect(swept).toEqual({ ...event, hint: true });
  });

  it('keys a charge by its payment intent, expanded or not', () => {
    const charge = {
      id: 'ch_1',
      object: 'charge',
      status: 'succeeded',
      amount: 4200,
      amount_captured: 4200,
      amount_refunded: 100,
      currency: 'usd',
      failure_code: null,
      payment_method_details: { card: { brand: 'visa', last4: '4242' } },
      metadata: {},
    };
    for (const payment_intent of ['pi_1', { id: 'pi_1', object: 'payment_intent' }]) {
      const { object } = normalizedEvent(row({ ...charge, payment_intent }), null);
      expect(aggregateOf(object)).toBe('pi_1');
      expect(object).toMatchObject({ charge: 'ch_1', amount_refunded: 100, card: { brand: 'visa', last4: '4242' }, failure: null });
    }
  });

  it('says why a refund failed', () => {
    const refund = {
      id: 're_1',
      object: 'refund',
      status: 'failed',
      amount: 100,
      currency: 'usd',
      charge: 'ch_1',
      payment_intent: 'pi_1',
      failure_reason: 'insufficient_funds',
      metadata: { refund_id: 'rfd_1' },
    };
    expect(normalizedEvent(row(refund), null).object).toMatchObject({
      status: 'failed',
      charge: 'ch_1',
      failure: { code: 'insufficient_funds' },
      metadata: { refund_id: 'rfd_1' },
    });
  });

  it('keeps an object that nobody knows by its id', () => {
    const event = normalizedEvent(row({ id: 'prod_1', object: 'product', name: 'A thing' }, { event_type: 'product.created' }), null);
    expect(NormalizedStripeEvent.parse(event).object).toMatchObject({ object: 'product', id: 'prod_1', status: null, amount: null });
    expect(namedTenant(event.object.metadata)).toBeNull();
  });

  it('keeps an object that has no id by the id of the event', () => {
    const event = normalizedEvent(row({ object: 'balance', available: [] }), null);
    expect(aggregateOf(event.object)).toBe('evt_1');
  });

  it.each([[[]], [null], ['x'], [{ id: 7, object: ['payment_intent'], status: {}, amount: 1.5, metadata: [1], latest_charge: 5 }]])(
    'is always a valid contract, even of %j',
    (object) => {
      const event = normalizedEvent(row(object), null);
      expect(NormalizedStripeEvent.parse(event)).toEqual(event);
    },
  );

  it('carries no character that Postgres cannot store, and of metadata our ids alone: the rest may be about a person', () => {
    const written = '{"payment_id":"x\\u0000y","tenant_id":"\\ud800","refund_id":5,"__proto__":"z","note":"for Ada"}';
    const event = normalizedEvent(row({ ...intent, metadata: JSON.parse(written) }), null);
    expect(event.object.metadata).toEqual({ payment_id: 'xy', tenant_id: '\ufffd' });
  });
});

describe('A hint', () => {
  it('takes the retrieved object instead of the listed one', () => {
    const listed = row({ ...intent, status: 'processing' }, { hint: true, event_type: 'payment_intent.processing' });
    expect(normalizedEvent(listed, shown(intent))).toMatchObject({
      hint: true,
      type: 'payment_intent.processing',
      object: { status: 'succeeded' },
    });
    expect(referenceOf(listed)).toEqual({ kind: 'payment_intent', id: 'pi_1' });
  });

  it('has the card of the charge that came with its object', () => {
    const latest_charge = { id: 'ch_1', object: 'charge', payment_method_details: { card: { brand: 'visa', last4: '4242' } } };
    const older = row(intent, { api_version: '2024-04-10' });
    expect(normalizedEvent(older, shown({ ...intent, latest_charge }))).toMatchObject({
      hint: true,
      object: { charge: 'ch_1', card: { brand: 'visa', last4: '4242' } },
    });
  });

  it('whose object is gone is told by its payload: an invoice was deleted', () => {
    const draft = row({ id: 'in_1', object: 'invoice', status: 'draft', total: 900 }, { event_type: 'invoice.updated' });
    expect(normalizedEvent(draft, shown(null))).toMatchObject({
      hint: true,
      object: { id: 'in_1', status: 'draft', amount: 900, deleted: true },
    });
  });

  it('may be a thin event, whose type loses its version', () => {
    const thin = row(null, {
      hint: true,
      event_type: 'v1.payment_intent.succeeded',
      payload: Buffer.from(
        JSON.stringify({
          id: 'evt_2',
          object: 'v2.core.event',
          related_object: { id: 'pi_1', type: 'payment_intent', url: '/v1/payment_intents/pi_1' },
        }),
      ),
    });
    expect(referenceOf(thin)).toEqual({ kind: 'payment_intent', id: 'pi_1' });
    expect(normalizedEvent(thin, shown(intent))).toMatchObject({
      type: 'payment_intent.succeeded',
      hint: true,
      object: { id: 'pi_1', status: 'succeeded' },
    });
  });

  it('that names nothing is still published', () => {
    const bare = row(null, { hint: true, payload: Buffer.from('{"object":"v2.core.event"}') });
    expect(referenceOf(bare)).toBeNull();
    expect(NormalizedStripeEvent.parse(normalizedEvent(bare, null)).object.id).toBe('evt_1');
  });
});
