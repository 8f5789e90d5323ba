import { describe, expect, it } from '@jest/globals';
import { CustomerObject } from '@tidegate/contracts/events/stripe-event/customer';
import { InvoiceObject } from '@tidegate/contracts/events/stripe-event/invoice';
import { PayoutObject } from '@tidegate/contracts/events/stripe-event/payout';
import { SubscriptionObject } from '@tidegate/contracts/events/stripe-event/subscription';
import { aggregateOf, normalizedObject } from './normalized-object.decide.js';

const item = (id: string, start: number, end: number) => ({
  id,
  object: 'subscription_item',
  price: { id: `price_${id}`, object: 'price', unit_amount: 900 },
  quantity: 2,
  current_period_start: start,
  current_period_end: end,
});

describe('A normalized subscription', () => {
  const subscription = {
    id: 'sub_1',
    object: 'subscription',
    status: 'past_due',
    created: 100,
    customer: { id: 'cus_1', object: 'customer', email: 'ada@example.com' },
    currency: 'usd',
    items: { object: 'list', data: [item('a', 200, 300), item('b', 150, 400)] },
    latest_invoice: { id: 'in_1', object: 'invoice', hosted_invoice_url: 'https://invoice.example/secret' },
    collection_method: 'charge_automatically',
    trial_end: null,
    cancel_at: null,
    cancel_at_period_end: true,
    canceled_at: 250,
    cancellation_details: { reason: 'cancellation_requested', comment: 'Ada wrote this' },
    ended_at: null,
    pause_collection: null,
    description: 'for Ada',
    metadata: { tenant_id: 'other' },
  };

  it('has its items, the widest of their periods, and nothing that names a person or opens a page', () => {
    const object = normalizedObject(subscription, 'evt_1');
    expect(SubscriptionObject.strict().parse(object)).toEqual(object);
    expect(object).toMatchObject({
      id: 'sub_1',
      status: 'past_due',
      customer: 'cus_1',
      items: [
        { id: 'a', price: 'price_a', quantity: 2 },
        { id: 'b', price: 'price_b', quantity: 2 },
      ],
      current_period_start: 150,
      current_period_end: 400,
      latest_invoice: 'in_1',
      cancel_at_period_end: true,
      cancellation_reason: 'cancellation_requested',
      paused: false,
    });
    expect(JSON.stringify(object)).not.toMatch(/Ada|ada@|secret/);
    expect(aggregateOf(object)).toBe('sub_1');
  });
});

describe('A normalized invoice', () => {
  const payment = (id: string, created: number) => ({ id, created, payment: { type: 'payment_intent', payment_intent: `pi_${id}` } });
  const invoice = {
    id: 'in_1',
    object: 'invoice',
    status: 'open',
    created: 100,
    customer: 'cus_1',
    customer_email: 'ada@example.com',
    customer_name: 'Ada',
    hosted_invoice_url: 'https://invoice.example/secret',
    number: 'A-0001',
    parent: { type: 'subscription_details', subscription_details: { subscription: 'sub_1', metadata: {} } },
    billing_reason: 'subscription_cycle',
    total: 4200,
    amount_due: 4200,
    amount_paid: 0,
    amount_remaining: 4200,
    currency: 'usd',
    attempt_count: 2,
    next_payment_attempt: 900,
    payments: { object: 'list', data: [payment('late', 9), payment('early', 8)] },
    metadata: null,
  };

  it('names its subscription and the intents that pay it, oldest first, and nobody', () => {
    const object = normalizedObject(invoice, 'evt_1');
    expect(InvoiceObject.strict().parse(object)).toEqual(object);
    expect(object).toMatchObject({ subscription: 'sub_1', amount: 4200, attempt_count: 2, payment_intents: ['pi_early', 'pi_late'] });
    expect(JSON.stringify(object)).not.toMatch(/Ada|ada@|secret/);
  });

  it('without what was not asked for has no intents', () => {
    expect(normalizedObject({ ...invoice, payments: undefined, parent: null }, 'evt_1')).toMatchObject({
      payment_intents: [],
      subscription: null,
    });
  });

  it('that is only a preview has no id but the one of its event', () => {
    expect(normalizedObject({ ...invoice, id: undefined }, 'evt_1')).toMatchObject({ object: 'invoice', id: 'evt_1' });
  });
});

describe('A normalized payout', () => {
  it('says when the money arrives, and why it did not', () => {
    const object = normalizedObject(
      {
        id: 'po_1',
        object: 'payout',
        status: 'failed',
        created: 100,
        amount: 125000,
        currency: 'usd',
        automatic: true,
        method: 'standard',
        arrival_date: 200,
        balance_transaction: { id: 'txn_1', object: 'balance_transaction' },
        reconciliation_status: 'in_progress',
        failure_code: 'account_closed',
        failure_message: 'The bank account has been closed.',
        destination: { id: 'ba_1', object: 'bank_account', account_holder_name: 'Ada' },
        metadata: {},
      },
      'evt_1',
    );
    expect(PayoutObject.strict().parse(object)).toEqual(object);
    expect(object).toMatchObject({
      status: 'failed',
      arrival_date: 200,
      balance_transaction: 'txn_1',
      failure: { code: 'account_closed', message: 'The bank account has been closed.' },
    });
    expect(JSON.stringify(object)).not.toContain('Ada');
  });
});

describe('A normalized customer', () => {
  it('is its own customer, and is there until Stripe says otherwise', () => {
    const object = normalizedObject({ id: 'cus_1', object: 'customer', email: 'ada@example.com', metadata: { tenant_id: 'other' } }, 'e');
    expect(CustomerObject.strict().parse(object)).toEqual(object);
    expect(object).toMatchObject({ customer: 'cus_1', deleted: false, metadata: { tenant_id: 'other' } });
    expect(normalizedObject({ id: 'cus_1', object: 'customer', deleted: true }, 'e')).toMatchObject({ deleted: true, metadata: {} });
  });
});
