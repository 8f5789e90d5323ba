import type { FeeRecorded as Movement } from '@tidegate/contracts/events/fee';

/** A balance transaction of Stripe's was read: once each, in a stream of its own. */
export interface FeeRecorded {
  type: 'FeeRecorded';
  data: Movement & { tenant: string };
}

const PREFIX = 'balance_transaction:';
export const feeStream = (balanceTransaction: string): string => `${PREFIX}${balanceTransaction}`;
/** Of all such streams, for LIKE. */
export const FEE_STREAMS = feeStream('%').replaceAll('_', '\\_');
