import { describe, expect, it } from '@jest/globals';
import { someDetails, someFacts } from '../../test/receipt-facts.js';
import { mailText } from '../mail/mail-text.js';
import { composeDocument } from './compose-document.js';

const totals = (...args: Parameters<typeof composeDocument>) =>
  composeDocument(...args).totals.map(({ label, amount }) => `${label} ${amount}`);

describe('Given a payment without line items', () => {
  it('prints the payment as its one line, under its description', () => {
    const document = composeDocument(someFacts(), someDetails({ description: 'Order 10442' }));
    expect(document.table.rows).toEqual([
      { name: 'Order 10442', note: null, quantity: '1', unit: '$428.00', amount: '$428.00', running: '$428.00' },
    ]);
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

  it('says at each item what it was cheaper by and what tax is on it, and adds up as it goes', () => {
    const { rows } = composeDocument(someFacts(), someDetails({ line_items })).table;
    expect(rows.map(({ note, running }) => [note, running])).toEqual([
      [null, '$348.00'],
      ['Discount \u2212$5.00 · Tax $8.00', '$393.00'],
    ]);
  });

  it('keeps the description among the facts', () => {
    const { facts } = composeDocument(someFacts(), someDetails({ line_items, description: 'Order 10442' }));
    expect(facts).toContainEqual({ label: 'For', value: 'Order 10442' });
  });
});

describe('Given a payment that was made days before its receipt', () => {
  const late = { happened_at: '2026-11-18T23:30:00.000Z', zone: 'Europe/Berlin' };

  it('says that it was paid then, where the seller is, and when the receipt was issued', () => {
    const { paid, facts } = composeDocument(someFacts(late), someDetails({ locale: 'en-GB' }));
    expect(paid.sentence).toBe('Paid on 19 November 2026');
    expect(facts).toContainEqual({ label: 'Date of issue', value: '21 November 2026' });
    expect(mailText(someFacts(late), someDetails({ locale: 'en-GB' })).text).toContain('Paid on 19 November 2026');
  });

  it('says of a refund when that was', () => {
    const note = someFacts({ ...late, kind: 'credit_note', refers_to: { receipt_id: 'rcp_1', number: 'R-2026-000041' } });
    expect(composeDocument(note, someDetails({ locale: 'en-GB' })).paid.sentence).toBe('Credited on 19 November 2026');
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

  it("takes the customer's before the tenant's, when the payment has none", () => {
    const titles = [{ locale: 'fr', customer_locale: 'ja' }, { customer_locale: 'ja' }, {}].map(
      (details) => composeDocument(someFacts({ locale: 'de' }), someDetails(details)).title,
    );
    expect(titles).toEqual(['Reçu', '領収書', 'Quittung']);
  });

  it('runs from right to left in Arabic', () => {
    expect(composeDocument(someFacts(), someDetails({ locale: 'ar-EG' })).dir).toBe('rtl');
    expect(composeDocument(someFacts(), someDetails({ locale: 'fr' })).dir).toBe('ltr');
  });

  it('writes figures and words in English when it has no words for it', () => {
    const document = composeDocument(someFacts({ locale: 'xx-not a locale' }), someDetails({ locale: 'ko' }));
    expect([document.lang, document.paid.amount]).toEqual(['en', '$428.00']);
  });
});

describe('Given the mode', () => {
  it('says so on a test receipt only', () => {
    expect(composeDocument(someFacts(), someDetails()).notice).toBe('Test mode: no money moved');
    expect(composeDocument(someFacts({ livemode: true }), someDetails()).notice).toBeNull();
  });
});

describe('Given what happened to a payment since', () => {
  it('shows what was refunded, what is left, and a dispute', () => {
    const document = composeDocument(someFacts(), someDetails(), { standing: { refunded: 2800, dispute: 'lost' }, voidedAt: null });
    expect(document.totals.map(({ label, amount }) => `${label} ${amount}`)).toEqual([
      'Amount paid $428.00',
      'Refunded \u2212$28.00',
      'After refunds $400.00',
    ]);
    expect(document.remarks).toEqual(['A dispute was lost; the amount went back to the payer']);
  });
});

describe('Given a credit note', () => {
  const note = someFacts({
    kind: 'credit_note',
    number: 'CN-2026-000001',
    amount: 2800,
    refers_to: { receipt_id: 'rcp_4f1c2b7a9d3e5f604f1c2b7a', number: 'R-2026-000042' },
    refund: { id: 'rfd_1' },
  });

  it('names the receipt and the refund, and has the refund as its one line', () => {
    const document = composeDocument(note, someDetails({ line_items: [{ name: 'Beans', quantity: 1, unit_amount: 42800 }] }));
    expect([document.title, document.paid.label]).toEqual(['Credit note', 'Amount credited']);
    expect(document.facts).toContainEqual({ label: 'Refers to receipt', value: 'R-2026-000042' });
    expect(document.facts).toContainEqual({ label: 'Refund reference', value: 'rfd_1' });
    expect(document.table.rows.map(({ name, amount }) => `${name} ${amount}`)).toEqual(['Refund of receipt R-2026-000042 $28.00']);
    expect(totals(note, someDetails())).toEqual(['Amount credited $28.00']);
    expect(document.stamp).toBeNull();
  });

  it('is stamped void with the day and the reason once the refund failed', () => {
    const document = composeDocument(note, someDetails(), {
      standing: { refunded: 0, dispute: null },
      voidedAt: '2026-11-24T10:00:00.000Z',
    });
    expect([document.stamp, document.remarks]).toEqual(['Void', ['Void since November 24, 2026: the refund did not reach the payer']]);
  });
});

describe('Given a seller with colours, tax ids and a page to verify at', () => {
  it('hands them to the template, and a code that says the address', () => {
    const seller = { name: 'Harbour', legal_lines: ['Quay'], tax_ids: ['IE1'], accent: '#aa0000', logo: 'abc' };
    const url = 'https://pay.example.com/verify/x';
    const document = composeDocument(someFacts({ seller, verification: { token: 'x', url } }), someDetails());
    expect([document.accent, document.logo, document.seller.lines]).toEqual(['#aa0000', 'abc', ['Quay', 'Tax ID IE1']]);
    expect(document.verify).toMatchObject({ url, code: expect.stringMatching(/^<svg /) });
    expect(composeDocument(someFacts(), someDetails()).verify).toBeNull();
  });
});
