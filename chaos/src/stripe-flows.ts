/** Somebody else at Stripe: another program with our key, and people in the dashboard. */
export interface AtStripe {
  /** Answers the object, also that of a decline. */
  post(path: string, form?: Record<string, string>): Promise<StripeThing>;
  remove(path: string): Promise<StripeThing>;
  act(action: string, order: Record<string, unknown>): Promise<StripeThing>;
  /** Lets time go by. */
  pass(seconds: number): Promise<void>;
}

export type StripeThing = { id: string } & Record<string, unknown>;

/** What a flow has made so far, by the names that its steps give. */
type Made = Record<string, string>;
type Step = (at: AtStripe, made: Made) => Promise<void>;

/** Something that happens at Stripe, in steps. */
export interface Flow {
  name: string;
  steps: readonly Step[];
}

const BACK = 'https://shop.example/back';
const AGREED = {
  'mandate_data[customer_acceptance][type]': 'online',
  'mandate_data[customer_acceptance][online][ip_address]': '127.0.0.1',
  'mandate_data[customer_acceptance][online][user_agent]': 'spec',
};

const pay =
  (payment_method: string, form: Record<string, string> = {}): Step =>
  async (at, made) => {
    const intent = await at.post('payment_intents', {
      amount: '4200',
      currency: 'usd',
      confirm: 'true',
      return_url: BACK,
      payment_method,
      ...form,
    });
    made['intent'] = intent.id;
  };
const again =
  (payment_method: string): Step =>
  async (at, { intent }) =>
    void (await at.post(`payment_intents/${intent}/confirm`, { payment_method, return_url: BACK }));
const authenticate =
  (outcome: 'pass' | 'fail'): Step =>
  async (at, { intent: payment_intent }) =>
    void (await at.act('complete_action', { payment_intent, outcome }));
const capture =
  (amount_to_capture: number): Step =>
  async (at, { intent }) =>
    void (await at.post(`payment_intents/${intent}/capture`, { amount_to_capture: String(amount_to_capture) }));
const cancel: Step = async (at, { intent }) => void (await at.post(`payment_intents/${intent}/cancel`));
const refund =
  (amount: number): Step =>
  async (at, { intent }) =>
    void (await at.post('refunds', { payment_intent: intent ?? '', amount: String(amount) }));
const dispute =
  (kind: 'chargeback' | 'inquiry'): Step =>
  async (at, { intent: payment_intent }) =>
    void (await at.act('dispute', { payment_intent, kind }));
const decide =
  (outcome: 'won' | 'lost' | 'escalated' | 'warning_closed'): Step =>
  async (at, { intent: payment_intent }) =>
    void (await at.act('close_dispute', { payment_intent, outcome }));

const openPage: Step = async (at, made) => {
  const session = await at.post('checkout/sessions', {
    mode: 'payment',
    success_url: BACK,
    'line_items[0][quantity]': '2',
    'line_items[0][price_data][currency]': 'usd',
    'line_items[0][price_data][unit_amount]': '2100',
    'line_items[0][price_data][product_data][name]': 'Vase',
  });
  made['session'] = session.id;
};
const payPage =
  (payment_method: string): Step =>
  async (at, { session }) =>
    void (await at.act('pay_checkout', { session, payment_method, email: 'payer@example.com' }));
const closePage: Step = async (at, { session }) => void (await at.post(`checkout/sessions/${session}/expire`));

const customer =
  (payment_method?: string): Step =>
  async (at, made) => {
    const form = { 'metadata[tenant_id]': 'default', email: 'payer@example.com' };
    const method = payment_method && { payment_method, 'invoice_settings[default_payment_method]': payment_method };
    made['customer'] = (await at.post('customers', { ...form, ...(method || {}) })).id;
  };
const subscribe: Step = async (at, made) => {
  const price = await at.post('prices', {
    currency: 'usd',
    unit_amount: '3000',
    'recurring[interval]': 'month',
    'product_data[name]': 'Plan',
  });
  const form = { customer: made['customer'] ?? '', 'items[0][price]': price.id };
  made['subscription'] = (await at.post('subscriptions', form)).id;
};
const change =
  (form: Record<string, string>): Step =>
  async (at, { subscription }) =>
    void (await at.post(`subscriptions/${subscription}`, form));
const unsubscribe: Step = async (at, { subscription }) => void (await at.remove(`subscriptions/${subscription}`));
const bill: Step = async (at, made) => {
  const { customer: of = '' } = made;
  await at.post('invoiceitems', { customer: of, amount: '900', currency: 'usd' });
  made['invoice'] = (await at.post('invoices', { customer: of, pending_invoice_items_behavior: 'include', auto_advance: 'false' })).id;
};
const withInvoice =
  (operation: 'finalize' | 'pay' | 'void' | 'mark_uncollectible'): Step =>
  async (at, { invoice }) =>
    void (await at.post(`invoices/${invoice}/${operation}`));
const dropDraft: Step = async (at, { invoice }) => void (await at.remove(`invoices/${invoice}`));
const rename: Step = async (at, { customer: id }) => void (await at.post(`customers/${id}`, { name: 'Somebody' }));
const forget: Step = async (at, { customer: id }) => void (await at.remove(`customers/${id}`));

/** What happens to one payment. */
export const PAYMENT_FLOWS: readonly Flow[] = [
  { name: 'a payment', steps: [pay('pm_card_visa')] },
  { name: 'a decline', steps: [pay('pm_card_chargeDeclined')] },
  { name: 'a decline, then another card', steps: [pay('pm_card_chargeDeclined'), again('pm_card_visa')] },
  { name: 'two declines, then a cancel', steps: [pay('pm_card_chargeDeclined'), again('pm_card_chargeDeclinedLostCard'), cancel] },
  { name: '3-D Secure, passed', steps: [pay('pm_card_threeDSecure2Required'), authenticate('pass')] },
  { name: '3-D Secure, failed', steps: [pay('pm_card_threeDSecure2Required'), authenticate('fail')] },
  {
    name: '3-D Secure, failed, then another card',
    steps: [pay('pm_card_threeDSecure2Required'), authenticate('fail'), again('pm_card_visa')],
  },
  { name: 'an authorization', steps: [pay('pm_card_visa', { capture_method: 'manual' })] },
  { name: 'an authorization, captured in part', steps: [pay('pm_card_visa', { capture_method: 'manual' }), capture(4000)] },
  { name: 'an authorization, released', steps: [pay('pm_card_visa', { capture_method: 'manual' }), cancel] },
  { name: 'a bank debit', steps: [pay('pm_usBankAccount_success', AGREED)] },
  { name: 'a bank debit that is returned', steps: [pay('pm_usBankAccount_insufficientFunds', AGREED)] },
  { name: 'a refund', steps: [pay('pm_card_visa'), refund(4200)] },
  { name: 'two refunds', steps: [pay('pm_card_visa'), refund(300), refund(1000)] },
  { name: 'a refund that takes time', steps: [pay('pm_card_pendingRefund'), refund(1000)] },
  { name: 'a refund that fails later', steps: [pay('pm_card_refundFail'), refund(1000)] },
  { name: 'a chargeback, won', steps: [pay('pm_card_visa'), dispute('chargeback'), decide('won')] },
  { name: 'a chargeback, lost', steps: [pay('pm_card_visa'), dispute('chargeback'), decide('lost')] },
  { name: 'an inquiry, closed', steps: [pay('pm_card_visa'), dispute('inquiry'), decide('warning_closed')] },
  { name: 'an inquiry, escalated', steps: [pay('pm_card_visa'), dispute('inquiry'), decide('escalated')] },
];

/** What happens to a page where somebody may pay. */
export const CHECKOUT_FLOWS: readonly Flow[] = [
  { name: 'a page, paid', steps: [openPage, payPage('pm_card_visa')] },
  { name: 'a page, closed', steps: [openPage, closePage] },
  { name: 'a page, paid by a debit', steps: [openPage, payPage('pm_usBankAccount_success')] },
  { name: 'a page, paid by a debit that is returned', steps: [openPage, payPage('pm_usBankAccount_insufficientFunds')] },
];

/** What happens to things that come and go in their states. */
export const BILLING_FLOWS: readonly Flow[] = [
  { name: 'a customer', steps: [customer(), rename] },
  { name: 'a customer, forgotten', steps: [customer(), rename, forget] },
  { name: 'a subscription', steps: [customer('pm_card_visa'), subscribe] },
  {
    name: 'a subscription, to be ended, kept after all, and ended',
    steps: [
      customer('pm_card_visa'),
      subscribe,
      change({ cancel_at_period_end: 'true' }),
      change({ cancel_at_period_end: 'false' }),
      unsubscribe,
    ],
  },
  { name: 'a subscription whose card fails', steps: [customer('pm_card_chargeCustomerFail'), subscribe] },
  { name: 'a bill, paid', steps: [customer('pm_card_visa'), bill, withInvoice('finalize'), withInvoice('pay')] },
  { name: 'a bill, void', steps: [customer('pm_card_visa'), bill, withInvoice('finalize'), withInvoice('void')] },
  {
    name: 'a bill, given up, and paid',
    steps: [customer('pm_card_visa'), bill, withInvoice('finalize'), withInvoice('mark_uncollectible'), withInvoice('pay')],
  },
  { name: 'a draft, dropped', steps: [customer('pm_card_visa'), bill, dropDraft] },
];

/** Money on its way to the bank account. */
export const PAYOUT_FLOWS: readonly Flow[] = [
  { name: 'a payout', steps: [pay('pm_card_bypassPending'), payOut, endPayout('paid')] },
  { name: 'a payout that fails', steps: [pay('pm_card_bypassPending'), payOut, endPayout('failed')] },
];

async function payOut(at: AtStripe, made: Made): Promise<void> {
  // The money is there when its balance transaction is.
  await at.pass(10);
  made['payout'] = (await at.act('payout', { currency: 'usd', amount: 1000 })).id;
}

function endPayout(outcome: 'paid' | 'failed'): Step {
  return async (at, { payout }) => void (await at.act('payout', { payout, outcome }));
}
