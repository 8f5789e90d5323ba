import { z } from 'zod';
import { defineEvent } from '../envelope.js';

/**
 * One balance transaction of Stripe's, in minor units of the balance's `currency`: `net` = `amount` - `fee`; negative when money left. Fees come late, which is
 * why they are not in the events of a payment.
 */
export const FeeRecorded = z.object({
  balance_transaction: z.string().describe("Stripe's id, txn_…; each is recorded once."),
  type: z.string().describe("Stripe's type: charge, refund, adjustment, payout, stripe_fee and others."),
  reporting_category: z.string(),
  source: z.object({ object: z.string(), id: z.string() }).nullable().describe('What moved the money; null when Stripe names nothing.'),
  payment_intent: z.string().nullable(),
  payment_id: z.string().nullable().describe('Of our payment, where it is known.'),
  foreign: z.boolean().describe('It is of an object that is not ours, although it is on our balance.'),
  amount: z.int(),
  fee: z.int(),
  net: z.int(),
  currency: z.string(),
  presentment: z
    .object({ amount: z.int(), currency: z.string() })
    .nullable()
    .describe('What the customer saw, when that was another currency; with the sign of `amount`.'),
  exchange_rate: z.number().nullable(),
  created_at: z.iso.datetime().describe("By Stripe's clock."),
});
export type FeeRecorded = z.infer<typeof FeeRecorded>;

export const exampleFeeRecorded: FeeRecorded = {
  balance_transaction: 'txn_3Example',
  type: 'charge',
  reporting_category: 'charge',
  source: { object: 'charge', id: 'ch_3Example' },
  payment_intent: 'pi_3Example',
  payment_id: 'pay_4f1c2b7a9d3e5f60',
  foreign: false,
  amount: 4200,
  fee: 152,
  net: 4048,
  currency: 'usd',
  presentment: null,
  exchange_rate: null,
  created_at: '2026-11-21T06:00:02.000Z',
};

export const feeRecorded = defineEvent({
  subject: 'reconciliation.events.fee.recorded.v1',
  version: 1,
  doc: "A movement of Stripe's balance was read: what it moved, what Stripe kept of it, and the payment that it belongs to. Also of movements without a fee.",
  data: FeeRecorded,
  example: exampleFeeRecorded,
});
