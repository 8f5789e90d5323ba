import { describe, expect, it } from '@jest/globals';
import { dunningOf, invoiceRules, type SeenInvoice } from './invoice.seen.js';

const invoice = (change: Partial<SeenInvoice> = {}): SeenInvoice => ({
  id: 'in_1',
  status: 'open',
  number: 'A-1',
  customer: 'cus_1',
  subscription: 'sub_1',
  billing_reason: 'subscription_cycle',
  collection_method: 'charge_automatically',
  amount: 4200,
  amount_due: 4200,
  amount_paid: 0,
  amount_remaining: 4200,
  currency: 'usd',
  attempt_count: 0,
  next_payment_attempt: 1_795_000_000,
  due_date: null,
  period_start: 1_794_000_000,
  period_end: 1_795_000_000,
  payment_intents: [],
  action_required: false,
  failure: null,
  created: 1_794_000_000,
  ...change,
});
const declined = { code: 'card_declined', decline_code: 'generic_decline', message: 'Your card was declined.' };

describe('What an invoice waits for', () => {
  it.each<[string, Partial<SeenInvoice>, ReturnType<typeof dunningOf>]>([
    ['is nothing before its first attempt', {}, null],
    ['is the next attempt after one that failed', { attempt_count: 1, failure: declined }, 'retrying'],
    ['is somebody who pays when no attempt is planned', { attempt_count: 4, next_payment_attempt: null }, 'needs_payment'],
    ['is somebody who pays when there was never a way to collect it', { next_payment_attempt: null }, 'needs_payment'],
    ['is the customer, before anything else', { attempt_count: 1, action_required: true }, 'action_required'],
    ['is nothing while a sent one is not paid', { collection_method: 'send_invoice', next_payment_attempt: null }, null],
    ['is nobody once it was given up', { status: 'uncollectible' }, 'given_up'],
    ['is nothing once it is paid', { status: 'paid', amount_remaining: 0, attempt_count: 2 }, null],
    ['is nothing once it is void', { status: 'void', action_required: true }, null],
    ['is nothing as a draft', { status: 'draft' }, null],
  ])('%s', (_, change, state) => expect(dunningOf(invoice(change))).toBe(state));
});

describe('What others are told of an invoice', () => {
  const open = invoice();
  const failed = invoice({ attempt_count: 1, failure: declined });
  it.each<[string, SeenInvoice | null, SeenInvoice, string[]]>([
    ['a draft that is new', null, invoice({ status: 'draft' }), ['created']],
    ['one that was missed until it was paid', null, invoice({ status: 'paid' }), ['created', 'paid']],
    ['one that was missed until it failed', null, failed, ['created', 'finalized', 'payment_failed']],
    ['a draft that opens', invoice({ status: 'draft' }), open, ['finalized']],
    ['an attempt that fails', open, failed, ['payment_failed']],
    ['another attempt that fails for the same reason', failed, invoice({ attempt_count: 2, failure: declined }), ['payment_failed']],
    [
      'a failed attempt by hand, which does not count',
      failed,
      invoice({ attempt_count: 1, failure: { ...declined, code: 'expired_card' } }),
      ['payment_failed'],
    ],
    ['a customer who has to act', open, invoice({ action_required: true }), ['action_required']],
    ['another plan for the next attempt', failed, { ...failed, next_payment_attempt: 1_796_000_000 }, ['updated']],
    ['one that is paid at last', failed, invoice({ status: 'paid', attempt_count: 2, failure: declined }), ['paid']],
    ['one that is given up', failed, { ...failed, status: 'uncollectible' }, ['uncollectible']],
    ['one that is void', open, invoice({ status: 'void' }), ['voided']],
    ['a draft that is gone', invoice({ status: 'draft' }), invoice({ status: 'deleted' }), ['deleted']],
  ])('%s', (_, before, after, facts) => expect(invoiceRules.factsOf(before, after)).toEqual(facts));
});
