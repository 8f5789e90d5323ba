import { expect } from '@jest/globals';
import type { CheckoutView, CustomerView, PaymentView } from '@tidegate/contracts/responses';
import type { SubscriptionView } from '@tidegate/contracts/subscription';
import { eventually } from '@tidegate/test-harness/eventually';
import type { OperatorWorld } from './operator-world.js';

export async function silently(world: OperatorWorld, action: string, body: object): Promise<void> {
  const answer = await fetch(`${world.simulator.url}/__dashboard/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, silent: true }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

export const pay = (world: OperatorWorld, body: object = {}) =>
  world.post<PaymentView>('/v1/payments', { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa', ...body });

const payment = async (world: OperatorWorld, id: string): Promise<PaymentView> =>
  (await (await fetch(`${world.url}/v1/payments/${id}`, { headers: { authorization: `Bearer ${world.key}` } })).json()) as PaymentView;

const checkout = (world: OperatorWorld) =>
  world.post<CheckoutView>('/v1/checkout-sessions', {
    line_items: [{ name: 'Ticket', quantity: 1, unit_amount: 4200 }],
    currency: 'usd',
    success_url: 'https://shop.example/thanks',
    cancel_url: 'https://shop.example/cart',
  });

/** In its trial, known on both sides, and nothing on its way that would have Stripe asked about it. */
async function subscription(world: OperatorWorld): Promise<SubscriptionView> {
  const { id: customer } = await world.post<CustomerView>('/v1/customers', { name: 'Ada Payer' });
  const form = { currency: 'usd', unit_amount: '3000', 'recurring[interval]': 'month', 'product_data[name]': 'Plan' };
  const headers = { authorization: 'Bearer sk_test_simulator' };
  const made = await fetch(`${world.simulator.url}/v1/prices`, { method: 'POST', headers, body: new URLSearchParams(form) });
  const { id: price } = (await made.json()) as { id: string };
  const view = await world.post<SubscriptionView>('/v1/subscriptions', { customer, items: [{ price }], trial_days: 7 });
  const told = world.simulator.truth(['events']).events.filter(({ data }) => JSON.stringify(data.object).includes(customer)).length;
  await eventually(async () => {
    const [row] = await world.query<{ handled: number; open: number }>(
      `select (select count(*)::int from webhooks.stripe_events where processing_outcome in ('processed', 'ignored') and convert_from(payload, 'UTF8') like '%' || $1 || '%') as handled,
         (select count(*)::int from payments.payment_work where payment_id in ($2, $3) and (due_at is not null or holder is not null)) as open
       from reconciliation.recorded_invoices where invoice_id = $3`,
      [customer, view.id, view.latest_invoice],
    );
    expect(row).toEqual({ handled: told, open: 0 });
  });
  return view;
}

/** Everything of it is told and handled: the charge's last event, with its balance, would have payments look at Stripe again. */
const receipted = (world: OperatorWorld, id: string) =>
  eventually(async () => {
    const { receipt, stripe_payment_intent } = await payment(world, id);
    expect(receipt).not.toBeNull();
    const reports = await world.query(
      `select o.consumer from webhooks.stripe_events e join webhooks.stripe_event_outcomes o using (created, stripe_event_id)
       where e.event_type = 'charge.updated' and position($1 in encode(e.payload, 'escape')) > 0`,
      [stripe_payment_intent],
    );
    expect(reports).toHaveLength(2);
  });

/** Here as well, and nobody looks at Stripe for it any more, as for one that took its time. */
const authorized = (world: OperatorWorld, id: string) =>
  eventually(async () => {
    const [row] = await world.query<{ status: string; open: number }>(
      `select p.status,
         (select count(*)::int from payments.payment_work where payment_id = $1 and (due_at < now() + interval '1 minute' or holder is not null)) as open
       from reconciliation.recorded_payments p where p.payment_id = $1`,
      [id],
    );
    expect(row).toEqual({ status: 'authorized', open: 0 });
  });

/** What disagrees silently, each named by one row. From the payment on that nobody told us of, all news are lost. */
export const PLANTED: [name: string, plant: (world: OperatorWorld) => Promise<void>][] = [
  [
    'status_mismatch',
    async (world) => {
      const { id, stripe_payment_intent } = await pay(world, { capture_method: 'manual' });
      await authorized(world, id);
      await silently(world, 'cancel', { payment_intent: stripe_payment_intent });
    },
  ],
  [
    'refund_mismatch',
    async (world) => {
      const { id, stripe_payment_intent } = await pay(world);
      await receipted(world, id);
      await silently(world, 'refund', { payment_intent: stripe_payment_intent, amount: 700 });
    },
  ],
  [
    'dispute_mismatch',
    async (world) => {
      const { id, stripe_payment_intent } = await pay(world);
      await receipted(world, id);
      await silently(world, 'dispute', { payment_intent: stripe_payment_intent });
    },
  ],
  [
    'checkout_mismatch',
    async (world) => {
      const { stripe_checkout_session } = await checkout(world);
      await silently(world, 'pay_checkout', { session: stripe_checkout_session });
    },
  ],
  [
    'subscription_mismatch',
    async (world) => void (await silently(world, 'edit', { id: (await subscription(world)).id, changes: { status: 'past_due' } })),
  ],
  [
    'invoice_mismatch',
    async (world) =>
      void (await silently(world, 'edit', {
        id: (await subscription(world)).latest_invoice,
        changes: { attempt_count: 7, status: 'open' },
      })),
  ],
  [
    'amount_mismatch',
    async (world) => {
      const { id } = await pay(world);
      await receipted(world, id);
      await inOurTables(world, `update reconciliation.recorded_payments set amount_captured = 4100 where payment_id = $1`, id);
    },
  ],
  [
    'currency_mismatch',
    async (world) => {
      const { id } = await pay(world);
      await receipted(world, id);
      await inOurTables(world, `update reconciliation.recorded_payments set currency = 'eur' where payment_id = $1`, id);
    },
  ],
  [
    'receipt_missing',
    async (world) => {
      const { id } = await pay(world);
      await receipted(world, id);
      // A rendering in hand would append to what is deleted here.
      await eventually(async () =>
        expect(await world.query(`select status from receipts.receipts where payment_id = $1`, [id])).toEqual([{ status: 'rendered' }]),
      );
      await world.query(`delete from receipts.receipts where payment_id = $1`, [id]);
      await world.query(`alter table receipts.events disable trigger all`);
      await world.query(`delete from receipts.events where stream like '%' || $1`, [id]);
      await world.query(`alter table receipts.events enable trigger all`);
      await inOurTables(world, `delete from reconciliation.recorded_receipts where payment_id = $1`, id);
    },
  ],
  [
    'usage_mismatch',
    async (world) => {
      const { id: customer } = await world.post<{ id: string }>('/v1/customers', {});
      await atStripe(world, 'billing/meters', { display_name: 'calls', event_name: 'calls', 'default_aggregation[formula]': 'sum' });
      const at = new Date(Date.now() - 3_600_000).toISOString();
      await world.post('/v1/usage-events', { events: [{ id: 'use-1', customer, meter: 'calls', value: '12.5', at }] });
      const identifier = await eventually(async () => {
        const [row] = await world.query<{ identifier: string }>(
          `select identifier from payments.usage_reports where customer = $1 and state = 'delivered'`,
          [customer],
        );
        expect(row).toBeDefined();
        return row!.identifier;
      });
      await atStripe(world, 'billing/meter_event_adjustments', { event_name: 'calls', type: 'cancel', 'cancel[identifier]': identifier });
      // Summaries are believed an hour after the last report.
      await world.query(`update payments.usage_reports set last_call_at = last_call_at - interval '2 hours'`);
    },
  ],
  [
    'missing_local',
    async (world) => {
      world.simulator.addFault({ fault: 'webhook_drop', times: 0 } as never);
      await atStripe(world, 'payment_intents', {
        amount: '900',
        currency: 'usd',
        confirm: 'true',
        payment_method: 'pm_card_visa',
        'automatic_payment_methods[enabled]': 'true',
        'automatic_payment_methods[allow_redirects]': 'never',
      });
    },
  ],
  [
    'missing_remote',
    async (world) => {
      world.simulator.addFault({ fault: 'reset_before', route: 'POST /v1/payment_intents', times: 0 } as never);
      expect(await pay(world)).toMatchObject({ status: 'unknown', stripe_payment_intent: null });
    },
  ],
];

/** From now on Stripe takes the call, and only a repair has it made. */
export async function reachable(world: OperatorWorld): Promise<void> {
  const put = `update payments.payment_work set due_at = now() + interval '1 hour'
    where holder is null and payment_id in (select id from payments.payments where status = 'unknown') returning payment_id`;
  await eventually(async () => expect(await world.query(put)).toHaveLength(1));
  world.simulator.clearFaults();
  world.simulator.addFault({ fault: 'webhook_drop', times: 0 } as never);
}

async function atStripe(world: OperatorWorld, path: string, form: Record<string, string>): Promise<void> {
  const answer = await fetch(`${world.simulator.url}/v1/${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk_test_simulator', 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

/** Once the news of the payment have been handled. */
async function inOurTables(world: OperatorWorld, statement: string, id: string): Promise<void> {
  await eventually(async () => {
    const [row] = await world.query<{ n: number }>(
      `select count(*)::int as n from reconciliation.recorded_payments p join reconciliation.recorded_receipts r using (payment_id)
       where payment_id = $1 and status = 'succeeded'`,
      [id],
    );
    expect(row?.n).toBe(1);
  });
  await world.query(statement, [id]);
}
