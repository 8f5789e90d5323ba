import type { Envelope } from '@tidegate/contracts/envelope';
import { receiptIssued } from '@tidegate/contracts/events/receipt';
import { describe, expect, it } from '@jest/globals';
import { type FoundReceipt, recovery } from './recovery.decide.js';

const found = (sequence: number, tenant = 'acme'): FoundReceipt => ({
  envelope: { tenant } as Envelope,
  issued: { ...receiptIssued.example, receipt_id: `rcp_${tenant}_${sequence}`, series: 'R', year: 2026, sequence },
});
const counter = (last: number) => ({ tenant: 'acme', series: 'R', year: 2026, last });
const restored = (last: number, ...receiptIds: string[]) => ({
  counters: last === 0 ? [] : [counter(last)],
  receiptIds: new Set(receiptIds),
});
const numbers = ({ append, lost }: ReturnType<typeof recovery>) => ({
  append: append.map(({ issued }) => issued.sequence),
  lost: lost.map(({ sequence }) => sequence),
});

describe('After a restore', () => {
  it('gives the numbers after the backup to their receipts again, and goes on behind the last', () => {
    const result = recovery([found(4), found(3), found(5)], restored(2), {});
    expect(numbers(result)).toEqual({ append: [3, 4, 5], lost: [] });
    expect(result.counters).toEqual([counter(5)]);
  });

  it('appends a credit note behind its receipt, whatever the names of their series', () => {
    const note = found(1);
    note.issued = { ...note.issued, series: 'CN', kind: 'credit_note' };
    const { append } = recovery([found(3), note], restored(2), {});
    expect(append.map(({ issued }) => issued.kind)).toEqual(['receipt', 'credit_note']);
  });

  it('records as lost what lies between found ones, or below a number that is known from elsewhere', () => {
    const result = recovery([found(3), found(5)], restored(2), { 'acme/R/2026': 7 });
    expect(numbers(result)).toEqual({ append: [3, 5], lost: [4, 6, 7] });
    expect(result.counters).toEqual([counter(7)]);
  });

  it('leaves alone what the backup has, however often it is told', () => {
    expect(recovery([found(1), found(2), found(2)], restored(2, 'rcp_acme_1', 'rcp_acme_2'), { 'acme/R/2026': 2 })).toEqual({
      append: [],
      lost: [],
      counters: [],
    });
  });

  it('knows counters that the backup does not, each by itself', () => {
    const result = recovery([found(1), found(1, 'other')], restored(0), {});
    expect(result.append.map(({ envelope }) => envelope.tenant)).toEqual(['acme', 'other']);
    expect(result.counters).toEqual([counter(1), { ...counter(1), tenant: 'other' }]);
  });

  it('changes nothing the second time', () => {
    const first = recovery([found(3), found(5)], restored(2), {});
    const after = { counters: first.counters, receiptIds: new Set(first.append.map(({ issued }) => issued.receipt_id)) };
    expect(recovery([found(3), found(5)], after, {})).toEqual({ append: [], lost: [], counters: [] });
  });
});
