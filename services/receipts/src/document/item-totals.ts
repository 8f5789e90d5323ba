import type { LineItem } from '@tidegate/contracts/requests';
import type { Labels } from './labels.js';

export interface Total {
  label: string;
  /** Minor units; a discount is negative. */
  amount: number;
  strong: boolean;
}

/**
 * The lines under the table, the last being what was paid. The sum of the items is named as such when it is not what was paid (a
 * partial capture): a receipt shows the difference, it never hides it.
 */
export function itemTotals(paid: number, items: readonly LineItem[], labels: Labels): Total[] {
  const last = { label: labels.total_paid, amount: paid, strong: true };
  if (items.length === 0) return [last];
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
    last,
  ];
}

function sum(items: readonly LineItem[], of: (item: LineItem) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
