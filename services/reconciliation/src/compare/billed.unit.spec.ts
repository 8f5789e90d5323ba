import { describe, expect, it } from '@jest/globals';
import type { Invoice, InvoiceLine } from '@tidegate/stripe-gateway/billing';
import { billedBy, billedId, compareBilled, invoiceOf, invoicesOf, isBilling, isFinalIn } from './billed.decide.js';

const DAY = 86_400;

const line = (changes: Partial<InvoiceLine> = {}): InvoiceLine => ({
  object: 'line_item',
  id: 'il_1',
  price: 'price_1',
  subscription: 'sub_1',
  recurring: true,
  quantity: '6',
  start: 0,
  end: DAY,
  ...changes,
});

const invoice = (changes: Partial<Invoice> = {}) =>
  ({ id: 'in_1', customer: 'cus_1', status: 'open', finalized_at: 90_000, metadata: {}, ...changes }) as Invoice;

describe('Lines of an invoice', () => {
  it('are added up by price and period; prorations and what people add bill no usage', () => {
    const lines = [
      line(),
      line({ id: 'il_2', quantity: '4.5' }),
      line({ id: 'il_3', start: 5 }),
      line({ id: 'il_4', price: 'price_2', quantity: null }),
      line({ id: 'il_5', recurring: false }),
      line({ id: 'il_6', price: null }),
    ];
    expect(
      billedBy(invoice({ metadata: { usage_price_2: '-1' } }), lines).map((one) => [billedId(one), one.quantities, one.settled]),
    ).toEqual([
      ['in_1/price_1/1970-01-01T00:00:00Z/1970-01-02T00:00:00Z', ['6', '4.5'], null],
      ['in_1/price_1/1970-01-01T00:00:05Z/1970-01-02T00:00:00Z', ['6'], null],
      ['in_1/price_2/1970-01-01T00:00:00Z/1970-01-02T00:00:00Z', [null], '-1'],
    ]);
    expect(invoiceOf('in_1/price_1/1970-01-01T00:00:00Z/1970-01-02T00:00:00Z')).toBe('in_1');
  });

  it.each([
    ['open', true],
    ['paid', true],
    ['uncollectible', true],
    ['void', false],
    ['draft', false],
  ])('of one that is %s are billed: %s', (status, is) => expect(isBilling(invoice({ status }))).toBe(is));
});

describe('Invoices that a run looks at', () => {
  it('became final in its days, from the first second of them to the last', () => {
    const { final, created } = invoicesOf({ gte: 10 * DAY, lt: 11 * DAY }, false);
    expect([final, created]).toEqual([
      { gte: 10 * DAY, lt: 11 * DAY },
      { gte: 6 * DAY, lt: 11 * DAY },
    ]);
    const at = [10 * DAY - 1, 10 * DAY, 11 * DAY - 1, 11 * DAY];
    expect(at.map((finalized_at) => isFinalIn(invoice({ finalized_at }), final))).toEqual([false, true, true, false]);
  });

  it('are those of 36 days for the daily one', () =>
    expect(invoicesOf({ gte: 99 * DAY, lt: 100 * DAY }, true)).toEqual({
      final: { gte: 64 * DAY, lt: 100 * DAY },
      created: { gte: 60 * DAY, lt: 100 * DAY },
    }));
});

describe('A row', () => {
  const difference = {
    invoice: 'in_1',
    customer: 'cus_1',
    subscription: 'sub_1',
    price: 'price_1',
    start: 0,
    end: DAY,
    finalized_at: 90_000,
    tenant: 'default',
    meter: 'calls',
    local: '15',
    late: '0',
    remote: '10',
    settled: '0',
    reason: 'billed_differs' as const,
  };
  const words = (changes: object) => {
    const found = compareBilled({ id: 'x', created: 1, metadata: {}, difference: { ...difference, ...changes } });
    return found.kind === 'differs' ? found.findings.map(({ local, remote }) => [local, remote]) : found.kind;
  };

  it('says what was taken, what of it came too late, and what was billed', () => {
    expect(words({})).toEqual([['15 of cus_1/calls', '10']]);
    expect(words({ late: '5', settled: '2', reason: 'late' })).toEqual([
      ['15 of cus_1/calls, 5 of it taken after the invoice was final', '10, 2 settled otherwise'],
    ]);
    expect(words({ late: '5', reason: 'late_beside_others' })).toEqual([
      ['15 of cus_1/calls, 5 of it taken after the invoice was final; others report it, too', '10'],
    ]);
  });

  it('is none of what could not be compared', () =>
    expect(compareBilled({ id: 'x', created: 1, metadata: {}, difference: null })).toEqual({ kind: 'agrees' }));
});
