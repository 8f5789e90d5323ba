import type { ReceiptIssued } from '@tidegate/contracts/events/receipt';

/**
 * Everything that fixes a receipt or credit note, decided once when it is numbered: what was paid or given back, and whose words, zone and template stand on it.
 * Holds no personal data of the payer; `amount` in minor units. What is optional is absent from facts of before it was recorded.
 */
export interface ReceiptFacts extends ReceiptIssued {
  tenant: string;
  zone: string;
  locale: string;
  seller: Seller;
  card: { brand: string; last4: string } | null;
  livemode: boolean;
  /** When it was paid, as payments tells it, or given back, as payments recorded it: before `issued_at` where somebody was away meanwhile. */
  happened_at?: string;
  /** Name of the template file without its suffix. */
  template: string;
  /** Where anybody sees what was issued under this number, as the QR code says it; null without a public URL. */
  verification?: { token: string; url: string | null };
  /** Found again after the database was restored, which does not tell whether it was mailed. */
  recovered?: true;
}

/** Who issued it, as it looked then. `accent` is a colour as #rrggbb, `logo` the SHA-256 of a PNG in `logos`. */
export interface Seller {
  name: string;
  legal_lines: string[];
  tax_ids?: string[];
  accent?: string | null;
  logo?: string | null;
}

/** The instant of which a document says that it was paid, or given back, on that day. */
export const happenedAt = ({ happened_at, issued_at }: ReceiptFacts): string => happened_at ?? issued_at;
