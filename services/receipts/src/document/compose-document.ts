import { type PaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import { cardText } from './card-text.js';
import { cleanText, cleanTextOrNull } from './clean-text.js';
import { documentRows } from './document-rows.js';
import type { DocumentInput } from './document-input.js';
import { itemTotals } from './item-totals.js';
import { directionOf, labelsFor } from './labels.js';
import type { Labels } from './labels/labels-shape.js';
import { moneyText } from './money-text.js';
import { type PaymentStanding, untouched } from './payment-standing.js';
import { qrCode } from './qr-code.js';
import { happenedAt, type ReceiptFacts } from './receipt-facts.js';
import { dateText } from './zoned-date.js';

/** What is known of a document beyond what fixed it. */
export interface ComposedWith {
  standing: PaymentStanding;
  /** When its number ceased to count; null while it does. */
  voidedAt: string | null;
}

export const DEFAULT_ACCENT = '#0b6e75';
const asIssued: ComposedWith = { standing: untouched, voidedAt: null };

/** Turns the facts of a receipt and the payer's details into the words of its document. Pure: equal arguments, equal result. */
export function composeDocument(receipt: ReceiptFacts, details: PaymentDetails, { standing, voidedAt } = asIssued): DocumentInput {
  const { locale, labels } = labelsFor([details.locale, details.customer_locale, receipt.locale]);
  const money = (amount: number) => moneyText(amount, receipt.currency, locale);
  const dayOf = (instant: string) => dateText(new Date(instant), receipt.zone, locale);
  const isNote = receipt.kind === 'credit_note';
  const happened = dayOf(happenedAt(receipt));
  return {
    lang: new Intl.Locale(locale).language,
    dir: directionOf(locale),
    accent: receipt.seller.accent ?? DEFAULT_ACCENT,
    logo: receipt.seller.logo ?? null,
    title: isNote ? labels.credit_note : labels.receipt,
    number: receipt.number,
    notice: receipt.livemode ? null : labels.test_mode,
    stamp: voidedAt === null ? null : labels.void,
    seller: { name: cleanText(receipt.seller.name, 120), lines: sellerLines(receipt, labels) },
    paid: {
      label: isNote ? labels.amount_credited : labels.amount_paid,
      amount: money(receipt.amount),
      sentence: isNote ? labels.credited_on(happened) : labels.paid_on(happened),
    },
    remarks: [
      ...(voidedAt === null ? [] : [labels.voided_on(dayOf(voidedAt))]),
      ...(standing.dispute === null || isNote ? [] : [labels.dispute[standing.dispute]]),
    ],
    facts: facts(receipt, details, labels, dayOf(receipt.issued_at)),
    table: {
      columns: [labels.item, labels.quantity, labels.unit_price, labels.amount],
      rows: documentRows(receipt, details, { labels, locale, money }),
      carried: labels.carried_forward,
      brought: labels.brought_forward,
    },
    totals: itemTotals(receipt, isNote ? [] : details.line_items, standing, labels).map((total) => ({
      ...total,
      amount: money(total.amount),
    })),
    verify: verify(receipt, labels),
    footer: { left: `${receipt.number} · ${receipt.receipt_id}`, page: labels.page },
  };
}

function sellerLines({ seller }: ReceiptFacts, labels: Labels): string[] {
  return [
    ...seller.legal_lines.slice(0, 8).map((line) => cleanText(line, 160)),
    ...(seller.tax_ids ?? []).slice(0, 4).map((id) => `${labels.tax_id} ${cleanText(id, 60)}`),
  ];
}

function facts(receipt: ReceiptFacts, details: PaymentDetails, labels: Labels, date: string): DocumentInput['facts'] {
  const isNote = receipt.kind === 'credit_note';
  const billedTo = [cleanTextOrNull(details.customer_name, 120), cleanTextOrNull(details.receipt_email, 254)].filter((one) => one !== null);
  const description = cleanTextOrNull(details.description);
  const card = receipt.card && cleanText(cardText(receipt.card), 60);
  const lines: [label: string, value: string | null | undefined][] = [
    [isNote ? labels.credit_note_number : labels.receipt_number, receipt.number],
    [labels.refers_to, receipt.refers_to?.number],
    [labels.issued_on, date],
    [isNote ? labels.refunded_to : labels.paid_with, card],
    [labels.billed_to, billedTo.join(' · ') || null],
    [labels.for, isNote || details.line_items.length > 0 ? description : null],
    [labels.payment, receipt.payment_id],
    [labels.refund, receipt.refund?.id],
  ];
  return lines.flatMap(([label, value]) => (value ? [{ label, value }] : []));
}

function verify({ verification }: ReceiptFacts, labels: Labels): DocumentInput['verify'] {
  if (!verification?.url) return null;
  return { label: labels.verify, how: labels.verify_how, url: verification.url, code: qrCode(verification.url) };
}
