import { type PaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import { cardText } from './card-text.js';
import { cleanText, cleanTextOrNull } from './clean-text.js';
import type { DocumentInput } from './document-input.js';
import { itemTotals } from './item-totals.js';
import { type Labels, labelsFor } from './labels.js';
import { moneyText } from './money-text.js';
import type { ReceiptFacts } from './receipt-facts.js';
import { dateText } from './zoned-date.js';

/** Turns the facts of a receipt and the payer's details into the words of its document. Pure: equal arguments, equal result. */
export function composeDocument(receipt: ReceiptFacts, details: PaymentDetails): DocumentInput {
  const { locale, labels } = labelsFor([details.locale, receipt.locale]);
  const money = (amount: number) => moneyText(amount, receipt.currency, locale);
  const date = dateText(new Date(receipt.issued_at), receipt.zone, locale);
  return {
    lang: new Intl.Locale(locale).language,
    title: labels.title,
    number: receipt.number,
    notice: receipt.livemode ? null : labels.test_mode,
    seller: {
      name: cleanText(receipt.seller.name, 120),
      lines: receipt.seller.legal_lines.slice(0, 8).map((line) => cleanText(line, 160)),
    },
    paid: { label: labels.amount_paid, amount: money(receipt.amount), sentence: labels.paid_on(date) },
    facts: facts(receipt, details, labels, date),
    table: table(receipt, details, labels, locale, money),
    totals: itemTotals(receipt.amount, details.line_items, labels).map((total) => ({ ...total, amount: money(total.amount) })),
    footer: { left: `${receipt.number} · ${receipt.receipt_id}`, page: labels.page },
  };
}

function facts(receipt: ReceiptFacts, details: PaymentDetails, labels: Labels, date: string): DocumentInput['facts'] {
  const billedTo = cleanTextOrNull(details.receipt_email, 254);
  const description = cleanTextOrNull(details.description);
  return [
    { label: labels.receipt_number, value: receipt.number },
    { label: labels.issued_on, value: date },
    ...(receipt.card ? [{ label: labels.paid_with, value: cleanText(cardText(receipt.card), 60) }] : []),
    ...(billedTo === null ? [] : [{ label: labels.billed_to, value: billedTo }]),
    ...(description === null || details.line_items.length === 0 ? [] : [{ label: labels.for, value: description }]),
    { label: labels.payment, value: receipt.payment_id },
  ];
}

/** Without line items the payment is its one line, under its own description. */
function table(
  receipt: ReceiptFacts,
  details: PaymentDetails,
  labels: Labels,
  locale: string,
  money: (amount: number) => string,
): DocumentInput['table'] {
  const quantity = new Intl.NumberFormat(locale);
  const whole = { name: details.description ?? labels.payment_line, quantity: 1, unit_amount: receipt.amount };
  const items = details.line_items.length > 0 ? details.line_items : [whole];
  return {
    columns: [labels.item, labels.quantity, labels.unit_price, labels.amount],
    rows: items.map((item) => ({
      name: cleanTextOrNull(item.name, 500) ?? labels.payment_line,
      quantity: quantity.format(item.quantity),
      unit: money(item.unit_amount),
      amount: money(item.quantity * item.unit_amount),
    })),
  };
}
