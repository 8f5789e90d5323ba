import type { ReceiptIssued } from '@tidegate/contracts/events/receipt';

/**
 * Everything that fixes a receipt, decided once when it is numbered: what was paid, and whose words, zone and template stand on it.
 * Holds no personal data of the payer; `amount` in minor units.
 */
export interface ReceiptFacts extends ReceiptIssued {
  tenant: string;
  zone: string;
  locale: string;
  seller: { name: string; legal_lines: string[] };
  card: { brand: string; last4: string } | null;
  livemode: boolean;
  /** Name of the template file without its suffix. */
  template: string;
}
