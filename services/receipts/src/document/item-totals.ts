import type { LineItem } from '@tidegate/contracts/requests';
import type { Labels } from './labels/labels-shape.js';
import type { PaymentStanding } from './payment-standing.js';
import type { ReceiptFacts } from './receipt-facts.js';

export interface Total {
  label: string;
  /** Minor units; what is taken off is negative. */
  amount: number;
  strong: boolean;
}

/**
 * The lines under the table, up to what was paid and what is left of it after refunds. The sum of the items is named as such when it is not what was paid (a
 * partial capture): a receipt shows the difference, it never hides it.
 */
export function itemTotals(
  { amount: paid, kind }: Pick<ReceiptFacts, 'amount' | 'kind'>,
  items: readonly LineItem[],
  { refunded }: Pick<PaymentStanding, 'refunded'>,
  labels: Labels,
): Total[] {
  if (kind === 'credit_note') return [{ label: labels.total_credited, amount: paid, strong: true }];
  return [
    ...partsOf(paid, items, labels),
    { label: labels.total_paid, amount: paid, strong: true },
    ...(refunded > 0
      ? [
          { label: labels.refunded, amount: -refunded, strong: false },
          { label: labels.after_refunds, amount: paid - refunded, strong: true },
        ]
      : []),
  ];
}

function partsOf(paid: number, items: readonly LineItem[], labels: Labels): Total[] {
  if (items.length === 0) return [];
  const subtotal = sum(items, (item) => item.quantity * item.unit_amount);
  const discount = sum(items, (item) => item.discount_amount ?? 0);
  const tax = sum(items, (item) => item.tax_amount ?? 0);
  const total = subtotal - discount + tax;
  const parts = [
    ...(discount > 0 ? [{ label: labels.discount, amount: -discount, strong: false }] : []),
    ...(tax > 0 ? [{ label: labels.tax, amount: tax, strong: false }] : []),
  ];
  return [
    ...(parts.length > 0 ? [{ label: labels.subtotal, amount: subtotal, strong: false }, ...parts] : []),
    ...(total === paid ? [] : [{ label: labels.items_total, amount: total, strong: false }]),
  ];
}

function sum(items: readonly LineItem[], of: (item: LineItem) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
