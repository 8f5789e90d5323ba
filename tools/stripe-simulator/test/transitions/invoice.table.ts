import { expect } from '@jest/globals';
import type Stripe from 'stripe';
import { type InvoiceStatus } from '../../src/invoices/invoice.js';
import { type Given, control } from '../given.js';
import { after } from './operations.js';
import { type Cell, type Table, type Told, each, fails, no, to } from './table.js';

type State =
  | InvoiceStatus
  | 'deleted'
  | 'draft (to send)'
  | 'draft (advancing)'
  | 'draft (free)'
  | 'open (to send)'
  | 'open (failed)'
  | 'open (authentication)'
  | 'paid (elsewhere)';
type Name =
  | 'update metadata'
  | 'update description'
  | 'update auto_advance'
  | 'update nothing'
  | 'add an item'
  | 'delete'
  | 'finalize'
  | 'pay'
  | 'pay with another card'
  | 'pay with a declining card'
  | 'pay with a card that asks'
  | 'pay elsewhere'
  | 'send'
  | 'void'
  | 'mark uncollectible'
  | 'confirm its intent'
  | 'pass authentication'
  | 'an hour later'
  | 'four days later';

const DRAFTS = ['draft', 'draft (to send)', 'draft (advancing)', 'draft (free)'] as const;
const OPEN = ['open', 'open (to send)', 'open (failed)', 'open (authentication)'] as const;
const OVER = ['paid', 'paid (elsewhere)', 'uncollectible', 'void'] as const;
const ALL: readonly State[] = [...DRAFTS, ...OPEN, ...OVER, 'deleted'];

const CUSTOMER = { name: 'Ada', invoice_prefix: 'ADA' };
const SENT = { collection_method: 'send_invoice', days_until_due: 30 } as const;

/** Its customer has a good card as default. */
const draft = async ({ stripe }: Given, more: Stripe.InvoiceCreateParams = {}): Promise<string> => {
  const { id: customer } = await stripe.customers.create(CUSTOMER);
  const { id: card } = await stripe.paymentMethods.attach('pm_card_visa', { customer });
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: card } });
  await stripe.invoiceItems.create({ customer, amount: 2_500, currency: 'usd' });
  return (await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include', ...more })).id;
};
const open = async (given: Given, more: Stripe.InvoiceCreateParams = {}): Promise<string> =>
  (await given.stripe.invoices.finalizeInvoice(await draft(given, more))).id;
const failed = async (given: Given): Promise<string> => {
  const id = await draft(given, { auto_advance: true });
  const { customer } = await given.stripe.invoices.retrieve(id);
  const { id: card } = await given.stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer as string });
  await given.stripe.invoices.update(id, { default_payment_method: card });
  given.simulator.advanceClock(3_601);
  return id;
};
const asked = async (given: Given): Promise<string> => {
  const id = await open(given);
  await given.stripe.invoices.pay(id, { payment_method: 'pm_card_threeDSecure2Required' }).catch(() => undefined);
  return id;
};
const intentOf = async ({ stripe }: Given, invoice: string): Promise<string> => {
  const { data } = await stripe.invoicePayments.list({ invoice }).catch(() => ({ data: [] }));
  return (data[0]?.payment.payment_intent as string | undefined) ?? 'pi_none';
};

const OPENED = ['payment_intent.created', 'invoice.finalized'];
const DECLINED = ['charge.failed', 'payment_intent.payment_failed', 'invoice.payment_failed'];
const ASKED = ['payment_intent.requires_action', 'invoice.payment_action_required'];
const updated = (previous: object): Told => ['invoice.updated', previous];
const DUE = expect.any(Number);
const TRIED = { attempt_count: 0, attempted: false };
const UNPAID = { amount_paid: 0, amount_remaining: 2_500, status: 'open', status_transitions: { paid_at: null } };
const FORGIVEN = { status: 'uncollectible', status_details: { uncollectible: { reason: 'user_forgiven' } } };
const RETRIED = { auto_advance: true, next_payment_attempt: DUE };
const paying = (previous: object): Told[] => [
  ...['charge.succeeded', 'payment_intent.succeeded', 'invoice_payment.paid', 'invoice.paid', 'invoice.payment_succeeded'],
  updated({ ...UNPAID, ...previous }),
];
const settled = (previous: object): Told[] => [
  'payment_intent.canceled',
  updated({ ...UNPAID, amount_paid_off_stripe: null, ...previous }),
  'invoice.paid',
];
const FREE = [
  ...['invoice.finalized', 'invoice.paid', 'invoice.payment_succeeded'],
  updated({ ...TRIED, status: 'open', status_transitions: { paid_at: null } }),
];

const gone = no<State>('resource_missing', 404);
const none = no<State>();
const fixed = no<State>('invoice_not_editable');
const refused = { ...each(ALL, () => none), deleted: gone };
/** A draft is finalized first. */
const advancing = { auto_advance: true };
const paid = (open: Cell<State>, of: (previous: object, first: readonly string[]) => Cell<State>): Record<State, Cell<State>> => ({
  ...refused,
  draft: of(TRIED, OPENED),
  'draft (to send)': of(TRIED, OPENED),
  'draft (advancing)': of({ ...TRIED, ...advancing }, OPENED),
  'draft (free)': to('paid', ...FREE),
  open: of(TRIED, []),
  'open (to send)': of(TRIED, []),
  'open (failed)': open,
  'open (authentication)': of({}, []),
  uncollectible: of({ ...TRIED, ...FORGIVEN }, []),
});
const byCard = paid(to('paid', ...paying(RETRIED)), (previous, first) => to('paid', ...first, ...paying(previous)));
/** What an attempt says that failed: the first one counts. */
const attempted = (events: readonly string[], code: string): Record<State, Cell<State>> => {
  const after = (state: State, previous: object, first: readonly string[] = []): Cell<State> =>
    fails(code, state, ...first, ...events, updated(previous));
  return {
    ...refused,
    ...each(DRAFTS, () => after('open', TRIED, OPENED)),
    'draft (free)': to('paid', ...FREE),
    open: after('open', TRIED),
    'open (to send)': after('open', TRIED),
    'open (failed)': after('open', {}),
    'open (authentication)': after('open', {}),
    uncollectible: after('uncollectible', TRIED),
  };
};
const same = each(ALL, (state) => to(state));

export const invoices: Table<State, Name> = {
  object: 'invoice',
  about: /^(invoice\.|invoice_payment|payment_intent|charge)/,
  status: ({ stripe }, id) =>
    stripe.invoices.retrieve(id).then(
      ({ status }) => status,
      () => 'deleted',
    ),
  states: {
    draft: { into: draft, events: ['invoice.created'] },
    'draft (to send)': { into: (given) => draft(given, SENT), events: ['invoice.created'] },
    'draft (advancing)': { into: (given) => draft(given, { auto_advance: true }), events: ['invoice.created'] },
    'draft (free)': {
      into: async ({ stripe }) => (await stripe.invoices.create({ customer: (await stripe.customers.create(CUSTOMER)).id })).id,
      events: ['invoice.created'],
    },
    open: { into: open, events: ['invoice.created', ...OPENED] },
    'open (to send)': { into: (given) => open(given, SENT), events: ['invoice.created', ...OPENED] },
    'open (failed)': { into: failed, events: ['invoice.created', 'invoice.updated', ...OPENED, 'invoice.updated', ...DECLINED] },
    'open (authentication)': { into: asked, events: ['invoice.created', ...OPENED, 'invoice.updated', ...ASKED] },
    paid: {
      into: async (given) => (await given.stripe.invoices.pay(await open(given))).id,
      events: ['invoice.created', ...OPENED, 'invoice.updated', ...paying({}).filter((told) => typeof told === 'string')],
    },
    'paid (elsewhere)': {
      into: async (given) => (await given.stripe.invoices.pay(await open(given, SENT), { paid_out_of_band: true })).id,
      events: ['invoice.created', ...OPENED, 'payment_intent.canceled', 'invoice.updated', 'invoice.paid'],
    },
    uncollectible: {
      into: async (given) => (await given.stripe.invoices.markUncollectible(await open(given))).id,
      events: ['invoice.created', ...OPENED, 'invoice.updated', 'invoice.marked_uncollectible'],
    },
    void: {
      into: async (given) => (await given.stripe.invoices.voidInvoice(await open(given))).id,
      events: ['invoice.created', ...OPENED, 'payment_intent.canceled', 'invoice.updated', 'invoice.voided'],
    },
    deleted: {
      into: async (given) => (await given.stripe.invoices.del(await draft(given))).id,
      events: ['invoice.created', 'invoice.deleted'],
    },
  },
  operations: {
    'update metadata': { by: 'request', run: ({ stripe }, id, key) => stripe.invoices.update(id, { metadata: { a: '1' } }, key) },
    'update description': { by: 'request', run: ({ stripe }, id, key) => stripe.invoices.update(id, { description: 'May' }, key) },
    'update auto_advance': { by: 'request', run: ({ stripe }, id, key) => stripe.invoices.update(id, { auto_advance: true }, key) },
    'update nothing': { by: 'request', run: ({ stripe }, id, key) => stripe.invoices.update(id, { metadata: {} }, key) },
    'add an item': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.invoiceItems.create({ invoice: id, amount: 100, currency: 'usd' } as never, key),
    },
    delete: { by: 'keyless request', run: ({ stripe }, id, key) => stripe.invoices.del(id, {}, key) },
    finalize: { by: 'request', run: ({ stripe }, id, key) => stripe.invoices.finalizeInvoice(id, {}, key) },
    pay: { by: 'request', run: ({ stripe }, id, key) => stripe.invoices.pay(id, {}, key) },
    'pay with another card': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.invoices.pay(id, { payment_method: 'pm_card_mastercard' }, key),
    },
    'pay with a declining card': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.invoices.pay(id, { payment_method: 'pm_card_chargeCustomerFail' }, key),
    },
    'pay with a card that asks': {
      by: 'request',
      run: ({ stripe }, id, key) => stripe.invoices.pay(id, { payment_method: 'pm_card_threeDSecure2Required' }, key),
    },
    'pay elsewhere': { by: 'request', run: ({ stripe }, id, key) => stripe.invoices.pay(id, { paid_out_of_band: true }, key) },
    send: { by: 'request', run: ({ stripe }, id, key) => stripe.invoices.sendInvoice(id, {}, key) },
    void: { by: 'request', run: ({ stripe }, id, key) => stripe.invoices.voidInvoice(id, {}, key) },
    'mark uncollectible': { by: 'request', run: ({ stripe }, id, key) => stripe.invoices.markUncollectible(id, {}, key) },
    'confirm its intent': {
      by: 'request',
      run: async (given, id, key) =>
        given.stripe.paymentIntents.confirm(await intentOf(given, id), { payment_method: 'pm_card_visa' }, key),
    },
    'pass authentication': {
      by: 'person',
      run: async (given, id) =>
        control(given.simulator, 'POST', '/__dashboard/complete_action', { payment_intent: await intentOf(given, id) }),
    },
    'an hour later': after(3_601),
    'four days later': after(4 * 86_400),
  },
  cells: {
    'update metadata': { ...each(ALL, (state) => to(state, updated({ metadata: { a: null } }))), deleted: gone },
    'update description': {
      ...each(ALL, () => fixed),
      ...each(DRAFTS, (state) => to(state, updated({ description: null }))),
      deleted: gone,
    },
    'update auto_advance': {
      ...each(ALL, () => fixed),
      ...each(DRAFTS, (state) => to(state, updated({ auto_advance: false, automatically_finalizes_at: null }))),
      'draft (advancing)': to('draft (advancing)'),
      ...each(OPEN, (state) => to(state, updated({ auto_advance: false }))),
      'open (failed)': to('open (failed)'),
      deleted: gone,
    },
    'update nothing': { ...same, deleted: gone },
    'add an item': {
      ...each(ALL, () => fixed),
      ...each(DRAFTS, (state) => {
        const [was, lines] = state === 'draft (free)' ? [0, []] : [2_500, [expect.objectContaining({ amount: 2_500 })]];
        const totals = { subtotal: was, subtotal_excluding_tax: was, total: was, total_excluding_tax: was };
        return to(state, 'invoiceitem.created', updated({ ...totals, amount_due: was, amount_remaining: was, lines: { data: lines } }));
      }),
      deleted: no('resource_missing'),
    },
    delete: { ...refused, ...each(DRAFTS, () => to('deleted', 'invoice.deleted')) },
    finalize: { ...refused, ...each(DRAFTS, () => to('open', ...OPENED)), 'draft (free)': to('paid', ...FREE) },
    pay: { ...byCard, 'open (failed)': fails('card_declined', 'open', ...DECLINED, updated({})) },
    'pay with another card': byCard,
    'pay with a declining card': {
      ...attempted(DECLINED, 'card_declined'),
      // It is tried again, as it advances by itself.
      'draft (advancing)': fails('card_declined', 'open', ...OPENED, ...DECLINED, updated({ ...TRIED, next_payment_attempt: null })),
    },
    'pay with a card that asks': attempted(ASKED, 'invoice_payment_intent_requires_action'),
    'pay elsewhere': {
      ...paid(to('paid', ...settled(RETRIED)), (previous, first) => to('paid', ...first, ...settled(previous))),
      'draft (free)': to('paid', ...FREE),
    },
    send: {
      ...refused,
      'draft (to send)': to('open', ...OPENED, 'invoice.sent'),
      'open (to send)': to('open', 'invoice.sent'),
      'paid (elsewhere)': to('paid', 'invoice.sent'),
    },
    void: {
      ...refused,
      ...each(OPEN, () => voided({ status: 'open' })),
      'open (failed)': voided({ status: 'open', ...RETRIED }),
      uncollectible: voided(FORGIVEN),
    },
    'mark uncollectible': {
      ...refused,
      ...each(OPEN, () => forgiven({})),
      'open (failed)': forgiven(RETRIED),
    },
    'confirm its intent': {
      ...byCard,
      ...each(OVER, () => no('payment_intent_unexpected_state')),
      ...each([...DRAFTS, 'deleted'], () => gone),
      uncollectible: byCard.uncollectible,
    },
    'pass authentication': {
      ...each(ALL, () => none),
      ...each([...DRAFTS, 'deleted'], () => no('resource_missing')),
      'open (authentication)': to('paid', ...paying({})),
    },
    'an hour later': { ...same, 'draft (advancing)': to('paid', ...OPENED, ...paying({ ...TRIED, ...advancing })) },
    'four days later': {
      ...same,
      'draft (advancing)': to('paid', ...OPENED, ...paying({ ...TRIED, ...advancing })),
      'open (failed)': to('open', ...DECLINED, updated({ attempt_count: 1, next_payment_attempt: DUE })),
    },
  },
};

function voided(previous: object): Cell<State> {
  return to('void', 'payment_intent.canceled', updated({ ...previous, status_transitions: { voided_at: null } }), 'invoice.voided');
}

function forgiven(previous: object): Cell<State> {
  const before = { status: 'open', status_details: null, status_transitions: { marked_uncollectible_at: null } };
  return to('uncollectible', updated({ ...before, ...previous }), 'invoice.marked_uncollectible');
}
