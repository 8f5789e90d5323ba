/** How a dispute is told on a document: `open` while it is undecided, inquiries included. */
export type DisputeShown = 'open' | 'won' | 'lost';

/**
 * How a payment stands, as far as a document shows it: what was refunded (minor units, refunds that succeeded) and the dispute that weighs most. Recorded with
 * each rendering, so that a lost document is made again to the same bytes whatever has happened since.
 */
export interface PaymentStanding {
  refunded: number;
  dispute: DisputeShown | null;
}

export const untouched: PaymentStanding = { refunded: 0, dispute: null };
