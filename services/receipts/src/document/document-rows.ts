import type { LineItem } from '@tidegate/contracts/requests';
import { type PaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import { cleanText, cleanTextOrNull } from './clean-text.js';
import type { DocumentRow } from './document-input.js';
import type { Labels } from './labels/labels-shape.js';
import type { ReceiptFacts } from './receipt-facts.js';
import { remembered } from './remembered.js';

const quantitiesIn = remembered((locale: string) => new Intl.NumberFormat(locale));

interface Words {
  labels: Labels;
  locale: string;
  money: (amount: number) => string;
}

/** The lines of the table. Without line items the payment is its one line, under its own description; a credit note has the refund as its line. */
export function documentRows(receipt: ReceiptFacts, details: PaymentDetails, { labels, locale, money }: Words): DocumentRow[] {
  const quantity = quantitiesIn(locale);
  let running = 0;
  return itemsOf(receipt, details, labels).map((item) => {
    const amount = item.quantity * item.unit_amount;
    running += amount;
    return {
      name: cleanTextOrNull(item.name, 500) ?? labels.payment_line,
      note: noteOf(item, labels, money),
      quantity: quantity.format(item.quantity),
      unit: money(item.unit_amount),
      amount: money(amount),
      running: money(running),
    };
  });
}

function itemsOf(receipt: ReceiptFacts, details: PaymentDetails, labels: Labels): LineItem[] {
  if (receipt.kind === 'credit_note')
    return [
      { name: labels.refund_line(cleanText(receipt.refers_to?.number ?? receipt.payment_id)), quantity: 1, unit_amount: receipt.amount },
    ];
  if (details.line_items.length > 0) return details.line_items;
  return [{ name: details.description ?? labels.payment_line, quantity: 1, unit_amount: receipt.amount }];
}

/** What an item was cheaper by, and the tax on it. */
function noteOf({ discount_amount = 0, tax_amount = 0 }: LineItem, labels: Labels, money: (amount: number) => string): string | null {
  const parts = [
    ...(discount_amount > 0 ? [`${labels.discount} ${money(-discount_amount)}`] : []),
    ...(tax_amount > 0 ? [`${labels.tax} ${money(tax_amount)}`] : []),
  ];
  return parts.join(' · ') || null;
}
