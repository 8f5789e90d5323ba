import { expect } from '@jest/globals';
import { type BilledComparison, type BilledUsage } from '@tidegate/contracts/rpc/billed-usage';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { usageWorld } from './usage-world.js';

/** Somebody who pays each day for what he uses of a meter. */
export interface Subscribed {
  customer: string;
  meter: string;
  price: string;
  subscription: string;
  /** Of the first period, epoch seconds. */
  start: number;
  end: number;
}

const HOUR_MS = 3_600_000;

export const METERED = {
  currency: 'usd',
  'recurring[interval]': 'day',
  'recurring[usage_type]': 'metered',
  'product_data[name]': 'Calls',
};

/** Payments with subscriptions at Stripe that bill usage, and the words for their invoices. */
export async function billedWorld() {
  const world = await usageWorld({ deadlineMs: 3000 });

  /** Somebody pays for what he uses each day, from now on. */
  async function subscribed(
    formula: 'sum' | 'count' | 'last' = 'sum',
    form: Record<string, string> = { unit_amount: '10' },
  ): Promise<Subscribed> {
    const [customer, meter] = [await world.customer(), await world.meter(formula)];
    const [{ id: stripeMeter } = { id: '' }] = world.simulator.world.meters.by('event_name', meter);
    const { id: price } = await world.stripe('prices', {
      ...METERED,
      'recurring[meter]': stripeMeter,
      ...form,
    });
    const made = await world.stripe('subscriptions', {
      customer,
      'items[0][price]': price as string,
      collection_method: 'send_invoice',
      days_until_due: '3',
    });
    const subscription = made['id'] as string;
    const [item] = world.simulator.world.subscriptions.get(subscription)!.items.data;
    return { customer, meter, price: price as string, subscription, start: item!.current_period_start, end: item!.current_period_end };
  }

  const timeOf = (seconds: number) => new Date(seconds * 1000).toISOString();

  /** Until the first period is over, and its invoice a draft. */
  function untilDraft({ end }: Subscribed): void {
    world.advance(end * 1000 - world.clock.now().getTime() + 1000);
  }

  const invoiceOf = ({ subscription, start }: Subscribed) =>
    world.simulator.world.invoices
      .all()
      .find((one) => one.parent?.subscription_details.subscription === subscription && one.lines.data[0]?.period.start === start)!;

  function untilFinal(one: Subscribed): void {
    if (world.clock.now().getTime() < one.end * 1000) untilDraft(one);
    world.advance(HOUR_MS);
    expect(invoiceOf(one).status_transitions.finalized_at).not.toBeNull();
  }

  /** What the invoice of the first period bills, as a run reads it. */
  function billed(one: Subscribed): BilledUsage {
    const { id: invoice, lines, status_transitions } = invoiceOf(one);
    return {
      invoice,
      customer: one.customer,
      subscription: one.subscription,
      price: one.price,
      start: one.start,
      end: one.end,
      finalized_at: status_transitions.finalized_at!,
      quantities: lines.data.map(({ quantity_decimal }) => quantity_decimal),
      settled: null,
    };
  }

  async function compared(...billedBy: BilledUsage[]): Promise<BilledComparison> {
    const reply = await world.send(RPC.usageCompareInvoices, { tenant: '*', body: { billed: billedBy } });
    if (reply.status !== 200) throw new Error(`The comparison was answered ${reply.status}: ${reply.body}`);
    return world.json<BilledComparison>(reply);
  }

  /** As if lines had been changed at Stripe without a word. */
  function withLines(one: Subscribed, quantities: readonly string[]): void {
    const invoice = invoiceOf(one);
    const [line] = invoice.lines.data;
    const data = quantities.map((quantity_decimal, n) => ({
      ...line!,
      id: `${line!.id}${n}`,
      quantity: Math.trunc(Number(quantity_decimal)),
      quantity_decimal,
    }));
    world.simulator.world.invoices.replace({ ...invoice, lines: { ...invoice.lines, data } });
  }

  /** Usage that is reported, in the middle of the first period unless it says when. */
  async function use(one: Subscribed, value: string | number, at = one.start + 3 * 3600): Promise<void> {
    await world.record([{ customer: one.customer, meter: one.meter, value, at: timeOf(at) }]);
    await world.reported();
  }

  /** Until Stripe's summaries are believed. */
  const untilShown = () => world.advance(2 * HOUR_MS);

  /** Another program reports for the same customer. */
  const others = (one: Subscribed, value: string, at = one.start + 9 * 3600) =>
    world.stripe('billing/meter_events', {
      event_name: one.meter,
      'payload[stripe_customer_id]': one.customer,
      'payload[value]': value,
      timestamp: String(at),
    });

  /** A subscription with ten units on its final invoice. */
  async function withTen(formula?: 'sum' | 'count' | 'last', form?: Record<string, string>): Promise<Subscribed> {
    const one = await subscribed(formula, form);
    world.advance(4 * HOUR_MS);
    if (formula === 'count')
      await Promise.all(Array.from({ length: 10 }, () => world.record([{ customer: one.customer, meter: one.meter }])));
    await (formula === 'count' ? world.reported() : use(one, 10));
    untilFinal(one);
    untilShown();
    return one;
  }

  return { ...world, subscribed, untilDraft, invoiceOf, untilFinal, billed, compared, withLines, use, untilShown, others, withTen, timeOf };
}

export type BilledWorld = Awaited<ReturnType<typeof billedWorld>>;
