import { expect } from '@jest/globals';
import type { OperatorCheckoutView } from '@tidegate/contracts/ops/checkouts';
import type { OperatorPaymentView } from '@tidegate/contracts/ops/payments';
import { eventually } from '@tidegate/test-harness/eventually';
import type { Given, State } from './state.js';

const DAY = 86_400;

const listed =
  (like: object) =>
  ({ data }: { data: OperatorCheckoutView[] }, id: string): void =>
    expect(data).toContainEqual(expect.objectContaining({ id, ...like }));
const result = (name: string, more = 1) => ({ name: 'checkout_sessions_total', labels: { result: name }, more });
const pays = (session: string, payment_method = 'pm_card_visa') => ({ session, payment_method, email: 'payer@example.com' });

const decided = (late_success: string) => (value: object, id: string) =>
  expect(value).toMatchObject({ done: true, result: { id, late_success } });

/** A late success that waits for a person, and Stripe is well again. */
async function held(given: Given): Promise<OperatorCheckoutView> {
  const { id, stripe_checkout_session } = await given.overdue();
  await given.dashboard('pay_checkout', pays(stripe_checkout_session));
  const checkout = await eventually(async () => {
    const { value } = await given.world.json<OperatorCheckoutView>(`checkouts show ${id}`);
    expect(value).toMatchObject({ late_success: 'held', payment: expect.any(String) });
    return value;
  });
  await given.healed();
  return checkout;
}

/** The fourth table: checkouts and their windows. */
export const CHECKOUTS: State[] = [
  {
    state: 'success rate',
    enter: async (given) => {
      const { id, stripe_checkout_session } = await given.open();
      await given.dashboard('pay_checkout', pays(stripe_checkout_session));
      return id;
    },
    metrics: [result('completed')],
    commands: [{ line: 'checkouts list --status complete', shows: listed({ status: 'complete', payment_status: 'paid' }) }],
  },
  {
    state: 'windows expire',
    enter: async (given) => {
      const { id } = await given.open({ window_hours: 0.5 });
      given.advance(31 * 60);
      return id;
    },
    metrics: [{ name: 'payments_window_expired_total', more: 1 }, result('window_expired')],
    lines: [{ event: 'payment_window_expired', fields: (id) => ({ payment_session_id: id }) }],
    commands: [{ line: 'checkouts list --status expired', shows: listed({ status: 'expired', url: null }) }],
  },
  {
    state: 'windows do not expire',
    enter: async (given) => (await given.overdue()).id,
    metrics: [
      { name: 'payments_window_overdue', least: 1 },
      { name: 'payments_window_overdue_oldest_seconds', least: 60 },
    ],
    commands: [
      { line: 'checkouts list --overdue', exit: 2, shows: listed({ status: 'open', tenant: 'default' }) },
      {
        line: 'payment-window reconcile --reason …',
        exit: 2,
        shows: (value: object, id) => expect(value).toMatchObject({ done: true, result: { unresolved: [id] } }),
      },
      {
        line: 'checkouts show ID',
        shows: ({ overdue_seconds }: OperatorCheckoutView) => expect(overdue_seconds).toBeGreaterThanOrEqual(60),
      },
    ],
  },
  {
    state: 'a payer needs longer, or must not pay',
    enter: async (given) => {
      const { id } = await given.open();
      await given.world.json(`payment-window override ${id} --extend --reason "bank was down" --yes`);
      return id;
    },
    metrics: [result('extended')],
    commands: [
      {
        line: 'payment-window override ID --extend --reason …',
        shows: (value: object, id) => expect(value).toMatchObject({ done: true, result: { id, status: 'open' } }),
      },
      {
        line: 'payment-window override ID --expire --reason …',
        shows: (value: object, id) => expect(value).toMatchObject({ done: true, result: { id, status: 'expired' } }),
      },
    ],
  },
  {
    state: 'paid after the end of the window',
    enter: async (given) => {
      const { id, stripe_checkout_session } = await given.overdue();
      await given.dashboard('pay_checkout', pays(stripe_checkout_session));
      return id;
    },
    metrics: [result('late_success'), { name: 'checkout_late_success_held', least: 1 }],
    commands: [
      { line: 'checkouts list --late-success held', exit: 2, shows: listed({ status: 'complete', late_success: 'held' }) },
      { line: 'checkouts late-success ID --accept --reason …', shows: decided('accepted') },
    ],
  },
  {
    state: 'paid late, and sold to somebody else',
    enter: async (given) => (await held(given)).id,
    metrics: [{ name: 'checkout_late_success_held', least: 1 }],
    commands: [{ line: 'checkouts late-success ID --refund --reason …', shows: decided('refunded') }],
  },
  {
    state: 'paid late, and not given back yet',
    enter: async (given) => {
      const { id } = await held(given);
      given.fault('error_503', 'POST /v1/refunds');
      await given.world.post(`/v1/ops/checkouts/${id}/late-success`, { action: 'refund', reason: 'sold to somebody else' });
      return id;
    },
    metrics: [{ name: 'checkout_late_success_refunding', least: 1 }],
    commands: [
      { line: 'checkouts list --late-success refunding', shows: listed({ status: 'complete', late_success: 'refunding' }) },
      {
        line: 'checkouts show ID',
        shows: ({ work }: OperatorCheckoutView) => expect(work).not.toBeNull(),
      },
    ],
  },
  {
    state: 'delayed payments that failed',
    enter: async (given) => {
      const { id, stripe_checkout_session } = await given.open();
      await given.dashboard('pay_checkout', pays(stripe_checkout_session, 'pm_usBankAccount_insufficientFunds'));
      await eventually(async () => {
        const { value } = await given.world.json<OperatorCheckoutView>(`checkouts show ${id}`);
        expect(value).toMatchObject({ status: 'complete', payment_status: 'awaited' });
      });
      given.advance(8 * DAY);
      return id;
    },
    metrics: [result('payment_failed')],
    commands: [{ line: 'checkouts list --payment-status failed', shows: listed({ status: 'complete', payment_status: 'failed' }) }],
  },
  {
    state: 'a page that should take no money took some',
    enter: async (given) => {
      const { id } = await given.open();
      const page = await given.stripe('checkout/sessions', {
        mode: 'payment',
        success_url: 'https://shop.example/thanks',
        'line_items[0][quantity]': '1',
        'line_items[0][price_data][currency]': 'usd',
        'line_items[0][price_data][unit_amount]': '4200',
        'line_items[0][price_data][product_data][name]': 'Ticket',
        'metadata[checkout_id]': id,
      });
      const { payment_intent } = await given.dashboard('pay_checkout', pays(String(page['id'])));
      return eventually(async () => {
        const { value } = await given.world.json<{ data: OperatorPaymentView[] }>('payments list --newest');
        const paid = value.data.find((one) => one.stripe_payment_intent === payment_intent);
        expect(paid).toBeDefined();
        return paid?.id ?? '';
      });
    },
    metrics: [],
    lines: [{ event: 'checkout_paid_elsewhere', fields: () => ({ payment_session_id: expect.stringMatching(/^cks_/) }) }],
    commands: [
      {
        line: 'payments show ID',
        shows: (value: OperatorPaymentView) => expect(value).toMatchObject({ status: 'succeeded', amount_captured: 4200 }),
      },
    ],
  },
];
