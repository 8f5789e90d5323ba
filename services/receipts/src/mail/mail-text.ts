import type { PaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import { cleanText } from '../document/clean-text.js';
import { labelsFor } from '../document/labels.js';
import { moneyText } from '../document/money-text.js';
import { happenedAt, type ReceiptFacts } from '../document/receipt-facts.js';
import { dateText } from '../document/zoned-date.js';

/** The words around a document, in its language. */
export function mailText(facts: ReceiptFacts, details: PaymentDetails): { subject: string; text: string; language: string } {
  const { locale, labels } = labelsFor([details.locale, details.customer_locale, facts.locale]);
  const seller = cleanText(facts.seller.name, 120);
  const title = facts.kind === 'credit_note' ? labels.credit_note : labels.receipt;
  const date = dateText(new Date(happenedAt(facts)), facts.zone, locale);
  const lines = [
    seller,
    '',
    `${title} ${facts.number}`,
    facts.kind === 'credit_note' ? labels.credited_on(date) : labels.paid_on(date),
    `${labels.amount}: ${moneyText(facts.amount, facts.currency, locale)}`,
    ...(facts.livemode ? [] : ['', labels.test_mode]),
  ];
  return { subject: `${title} ${facts.number} · ${seller}`, text: `${lines.join('\n')}\n`, language: locale };
}
