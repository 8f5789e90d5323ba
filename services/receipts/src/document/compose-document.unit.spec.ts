import { describe, expect, it } from '@jest/globals';
import { someDetails, someFacts } from '../../test/receipt-facts.js';
import { composeDocument } from './compose-document.js';

const totals = (...args: Parameters<typeof composeDocument>) =>
  composeDocument(...args).totals.map(({ label, amount }) => `${label} ${amount}`);

describe('Given a payment without line items', () => {
  it('prints the payment as its one line, under its description', () => {
    const document = composeDocument(someFacts(), someDetails({ description: 'Order 10442' }));
    expect(document.table.rows).toEqual([{ name: 'Order 10442', quantity: '1', unit: '$428.00', amount: '$428.00' }]);
    expect(totals(someFacts(), someDetails())).toEqual(['Amount paid $428.00']);
  });

  it('names it a payment when there is no description either', () => {
    expect(composeDocument(someFacts(), someDetails({ description: '\u202E' })).table.rows[0]?.name).toBe('Payment');
  });
});

describe('Given line items', () => {
  const line_items = [
    { name: 'Beans', quantity: 12, unit_amount: 2900 },
    { name: 'Dripper', quantity: 1, unit_amount: 4500, tax_amount: 800, discount_amount: 500 },
  ];

  it('adds up what was paid', () => {
    expect(totals(someFacts({ amount: 39600 }), someDetails({ line_items }))).toEqual([
      'Subtotal $393.00',
      'Discount \u2212$5.00',
      'Tax $8.00',
      'Amount paid $396.00',
    ]);
  });

  it('shows the sum of the items beside a smaller amount that was captured', () => {
    expect(totals(someFacts({ amount: 30000 }), someDetails({ line_items })).slice(-2)).toEqual([
      'Total of items $396.00',
      'Amount paid $300.00',
    ]);
  });

  it('keeps the description among the facts', () => {
    const { facts } = composeDocument(someFacts(), someDetails({ line_items, description: 'Order 10442' }));
    expect(facts).toContainEqual({ label: 'For', value: 'Order 10442' });
  });
});

describe('Given a locale', () => {
  it("takes the payment's before the tenant's", () => {
    expect(composeDocument(someFacts(), someDetails({ locale: 'en-GB' })).paid).toEqual({
      label: 'Amount paid',
      amount: 'US$428.00',
      sentence: 'Paid on 21 November 2026',
    });
  });

  it('writes figures and words in English when it has no words for it', () => {
    const document = composeDocument(someFacts({ locale: 'xx-not a locale' }), someDetails({ locale: 'ja' }));
    expect([document.lang, document.paid.amount]).toEqual(['en', '$428.00']);
  });
});

describe('Given the mode', () => {
  it('says so on a test receipt only', () => {
    expect(composeDocument(someFacts(), someDetails()).notice).toBe('Test mode: no money moved');
    expect(composeDocument(someFacts({ livemode: true }), someDetails()).notice).toBeNull();
  });
});
