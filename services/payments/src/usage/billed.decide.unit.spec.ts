import { describe, expect, it } from '@jest/globals';
import { billedUnits, bills, comparable, judgeBilled, settledUnits, type TakenHour } from './billed.decide.js';
import { unitsOf } from './decimal.js';

const NOW = new Date('2026-11-21T10:00:00Z');
const long = new Date('2026-11-21T08:00:00Z');

const price = { object: 'price' as const, id: 'price_1', meter: 'mtr_1', transforms: false, flat_tiers: false };
const billed = (quantities: (string | null)[], end = 100) => ({
  invoice: 'in_1',
  customer: 'cus_1',
  subscription: 'sub_1',
  price: 'price_1',
  start: 0,
  end,
  finalized_at: 100,
  quantities,
  settled: null,
});
const hour = (changes: Partial<TakenHour> = {}): TakenHour => ({
  sent: '10',
  summary: 10,
  late: '0',
  last_call_at: long,
  doubted: false,
  ...changes,
});
const judged = (total: string, on: string, hours: TakenHour[], { corrected = false, settled = 0n } = {}) =>
  judgeBilled({ total: unitsOf(total), billed: unitsOf(on), settled, hours, corrected }, NOW);

describe('What lines bill', () => {
  it.each([
    [['6', '4.5'], '10.5'],
    [['0'], '0'],
    [['6', null], null],
    [['1e3'], null],
    [['0.1234567890123'], null],
  ] as const)('of %j is %s', (quantities, sum) => expect(billedUnits([...quantities])).toBe(sum === null ? null : unitsOf(sum)));

  it.each([
    ['licensed', billed(['3']), { meter: null }, null],
    ['nothing, of a period that has only begun', billed(['0'], 101), {}, null],
    ['something of such a period', billed(['1'], 101), {}, { reason: 'period_open' }],
    ['packages', billed(['3']), { transforms: true }, { reason: 'transforms' }],
    ['tiers that cost something by themselves', billed(['3']), { flat_tiers: true }, { reason: 'flat_tiers' }],
    ['a line without a quantity', billed([null]), {}, { reason: 'quantity_missing' }],
    ['usage', billed(['3', '2']), {}, { units: unitsOf('5') }],
  ] as const)('is %s', (_what, lines, changes, verdict) => expect(comparable(lines, { ...price, ...changes })).toEqual(verdict));
});

describe('A sum that Stripe took', () => {
  it.each([
    ['10', '10', true],
    ['10', '11', false],
    ['10.4', '10', true],
    ['10.4', '11', true],
    ['10.4', '11.4', false],
    ['10.4', '12', false],
    ['10.5', '10.4', false],
    ['-3', '0', true],
    ['-3', '-3', true],
    ['-3', '1', false],
    ['0.3', '0.300000000001', true],
  ])('of %s is billed by %s: %s', (sum, on, does) => expect(bills(unitsOf(on), unitsOf(sum))).toBe(does));
});

describe('An invoice that bills something else', () => {
  it('lacks what came too late, or is wrong whatever came when', () => {
    expect(judged('15', '10', [hour({ sent: '15', summary: 15, late: '5' })])).toEqual({ kind: 'differs', reason: 'late', late: '5' });
    expect(judged('15', '9', [hour({ sent: '15', summary: 15, late: '5' })])).toMatchObject({ reason: 'billed_differs' });
    expect(judged('10', '12', [hour()])).toEqual({ kind: 'differs', reason: 'billed_differs', late: '0' });
  });

  it('is not judged while a summary may be behind, or a restore has left an hour in doubt', () => {
    const behind = { sent: '15', summary: 10 };
    expect(judged('15', '10', [hour({ ...behind, last_call_at: new Date('2026-11-21T09:30:00Z') })])).toEqual({ kind: 'pending' });
    expect(judged('15', '10', [hour({ ...behind, doubted: true })])).toEqual({ kind: 'pending' });
  });

  it('is left alone where Stripe counts an hour otherwise, but for what came too late in an hour that agrees', () => {
    const others = hour({ sent: '0', summary: 3, last_call_at: null });
    expect(judged('10', '13', [hour(), others])).toEqual({ kind: 'not_compared', reason: 'hours_differ' });
    expect(judged('15', '13', [hour({ sent: '15', summary: 15, late: '5' }), others])).toMatchObject({
      reason: 'late_beside_others',
      late: '5',
    });
    expect(judged('15', '13', [hour({ sent: '15', summary: 18, late: '5' })])).toEqual({ kind: 'not_compared', reason: 'hours_differ' });
  });

  it('lacks only what nobody has billed otherwise', () => {
    const more = hour({ sent: '17', summary: 17, late: '7' });
    expect(judged('17', '10', [more], { settled: unitsOf('5') })).toEqual({ kind: 'differs', reason: 'late', late: '7' });
    const others = hour({ sent: '0', summary: 3, last_call_at: null });
    expect(judged('17', '13', [more, others], { settled: unitsOf('7') })).toEqual({ kind: 'not_compared', reason: 'hours_differ' });
    expect([settledUnits('-2.5'), settledUnits('five'), settledUnits(null)]).toEqual([unitsOf('-2.5'), 0n, 0n]);
  });

  it('is left alone where the hour of a border was put right by its sum', () =>
    expect(judged('15', '10', [hour()], { corrected: true })).toEqual({ kind: 'not_compared', reason: 'border_corrected' }));
});
