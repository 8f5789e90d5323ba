import { minimumAmount } from '../money/currencies.js';
import { type Invoice, type LineItem } from './invoice.js';

type Totals = Pick<Invoice, 'amount_due' | 'amount_remaining' | 'lines' | 'subtotal' | 'total' | 'starting_balance' | 'ending_balance'> & {
  readonly subtotal_excluding_tax: number;
  readonly total_excluding_tax: number;
};

/**
 * The sums of an invoice. A customer's credit (a negative balance) pays first; what would be left below the smallest possible charge
 * goes to the balance instead, and so does a negative total.
 */
export function totals(id: string, currency: string, lines: readonly LineItem[], balance: number): Totals {
  const total = lines.reduce((sum, { amount }) => sum + amount, 0);
  const due = total + balance;
  const collected = due >= minimumAmount(currency) ? due : 0;
  return {
    lines: { object: 'list', data: lines, has_more: false, url: `/v1/invoices/${id}/lines` },
    subtotal: total,
    subtotal_excluding_tax: total,
    total,
    total_excluding_tax: total,
    starting_balance: balance,
    ending_balance: due - collected,
    amount_due: collected,
    amount_remaining: collected,
  };
}
