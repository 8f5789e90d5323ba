import { describe, expect, it } from '@jest/globals';
import { normalizedEvent, type StoredStripeEvent } from '../normalize/normalized-event.decide.js';
import { impersonal } from './impersonal.decide.js';

const row = (object: object): StoredStripeEvent => ({
  stripe_event_id: 'evt_1',
  event_type: 'charge.succeeded',
  created: new Date('2026-11-21T06:00:00Z'),
  livemode: false,
  api_version: '2026-10-28.endive',
  hint: false,
  message_id: null,
  payload: Buffer.from(
    JSON.stringify({
      id: 'evt_1',
      object: 'event',
      data: { object, previous_attributes: { name: 'Zelda' } },
      request: { idempotency_key: 'cmd:1' },
    }),
  ),
});
const address = { line1: '1 Zelda Street', city: 'Zeldaville', country: 'GB' };
const billing = { email: 'zelda@example.com', name: 'Zelda', phone: '+44 Zelda', address };
const metadata = { tenant_id: 'other', payment_id: 'pay_4f1c2b7a', Zelda: '7', note: 'for Zelda' };

describe('A stored event of an erased customer', () => {
  it.each([
    {
      object: 'customer',
      id: 'cus_1',
      ...billing,
      description: 'Zelda',
      preferred_locales: ['Zelda'],
      shipping: { name: 'Zelda', address },
      metadata,
    },
    {
      ...{
        object: 'payment_intent',
        id: 'pi_1',
        status: 'requires_payment_method',
        amount: 4200,
        currency: 'usd',
        customer: 'cus_1',
        metadata,
      },
      ...{ receipt_email: 'zelda@example.com', description: 'Zelda', client_secret: 'pi_1_secret_Ada', capture_method: 'automatic_async' },
      last_payment_error: {
        type: 'card_error',
        code: 'card_declined',
        decline_code: 'lost_card',
        message: 'zelda@example.com: lost',
        payment_method: { billing_details: billing },
      },
      next_action: { redirect_to_url: { return_url: 'https://shop.example/Zelda' } },
    },
    {
      ...{
        object: 'charge',
        id: 'ch_1',
        payment_intent: 'pi_1',
        customer: { id: 'cus_1', ...billing },
        amount: 1,
        amount_refunded: 0,
        metadata,
      },
      ...{
        billing_details: billing,
        receipt_email: 'zelda@example.com',
        receipt_url: 'https://pay.example/Zelda',
        calculated_statement_descriptor: 'ZELDA',
      },
      ...{
        failure_code: 'card_declined',
        failure_message: 'No, Stripe said to zelda@example.com',
        outcome: { reason: 'lost_card', seller_message: 'Zelda' },
      },
      payment_method_details: { card: { brand: 'visa', last4: '4242', wallet: { shipping_address: address } } },
    },
    {
      object: 'dispute',
      id: 'du_1',
      status: 'won',
      reason: 'fraudulent',
      charge: 'ch_1',
      evidence: { customer_name: 'Zelda' },
      evidence_details: { due_by: 7 },
      balance_transactions: [{ amount: -4500, fee: 1500, currency: 'usd' }],
    },
    {
      object: 'checkout.session',
      id: 'cs_1',
      status: 'complete',
      payment_status: 'paid',
      amount_total: 42,
      url: 'https://x/Zelda',
      success_url: 'https://x/Zelda',
      customer_details: billing,
      custom_fields: [{ key: 'Zelda', text: { value: 'Zelda' } }],
      metadata,
    },
    {
      object: 'refund',
      id: 're_1',
      status: 'failed',
      failure_reason: 'lost_or_stolen_card',
      instructions_email: 'zelda@example.com',
      metadata: { refund_id: 'rfd_1' },
    },
    {
      ...{
        object: 'subscription',
        id: 'sub_1',
        status: 'active',
        customer: 'cus_1',
        collection_method: 'charge_automatically',
        description: 'Zelda',
      },
      ...{ items: { data: [{ id: 'si_1', price: { id: 'price_1', nickname: 'Zelda' }, quantity: 1 }] }, latest_invoice: 'in_1', metadata },
      ...{ cancellation_details: { reason: 'cancellation_requested', comment: 'Zelda' }, pause_collection: { behavior: 'void' } },
    },
    {
      ...{
        object: 'invoice',
        id: 'in_1',
        number: 'A-1',
        billing_reason: 'subscription_cycle',
        total: 4200,
        currency: 'usd',
        customer: 'cus_1',
      },
      ...{ customer_email: 'zelda@example.com', customer_name: 'Zelda', customer_address: address, hosted_invoice_url: 'https://x/Zelda' },
      ...{
        parent: { subscription_details: { subscription: 'sub_1', metadata: { Zelda: '1' } } },
        lines: { data: [{ description: 'Zelda' }] },
      },
      payments: { data: [{ created: 1, payment: { payment_intent: 'pi_1' } }] },
    },
  ])('of kind $object names nobody, and is normalized to the same event as before', (object) => {
    const before = row(object);
    const after = { ...before, payload: impersonal(before.payload) };
    expect(after.payload.toString()).not.toMatch(/zelda/i);
    expect(normalizedEvent(after, null)).toEqual(normalizedEvent(before, null));
    expect(impersonal(after.payload)).toEqual(after.payload);
  });

  it('that is thin still says what to retrieve', () => {
    const thin = {
      id: 'evt_1',
      object: 'v2.core.event',
      type: 'v1.customer.updated',
      created: '2026-11-21T06:00:00Z',
      related_object: { id: 'cus_1', type: 'customer', url: '/v1/customers/cus_1' },
    };
    expect(JSON.parse(impersonal(Buffer.from(JSON.stringify(thin))).toString())).toMatchObject({
      ...thin,
      related_object: { id: 'cus_1', type: 'customer' },
    });
  });
});
