import { type Charge, isBankDebit } from '../charges/charge.js';
import { type Metadata } from '../schema/metadata-param.js';
import { type World } from '../world.js';
import { type Refund } from './refund.js';

export interface RefundRequest {
  /** Minor units; the whole rest by default. */
  readonly amount?: number;
  readonly reason?: string;
  readonly metadata?: Metadata;
}

/** A refund of a charge that has moved no money yet. */
export function newRefund(world: World, charge: Charge, amount: number, request: RefundRequest): Refund {
  return {
    id: world.ids.next(isBankDebit(charge) ? 'pyr' : 're'),
    object: 'refund',
    amount,
    balance_transaction: null,
    charge: charge.id,
    created: world.clock.nowSeconds(),
    currency: charge.currency,
    customer: charge.customer,
    customer_account: null,
    destination_details: destinationOf(charge),
    metadata: request.metadata ?? {},
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    reason: request.reason ?? null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'pending',
    transfer_reversal: null,
  };
}

function destinationOf(charge: Charge): object {
  if (!isBankDebit(charge)) return TO_CARD;
  const type = charge.currency === 'eur' ? 'eu_bank_transfer' : 'us_bank_transfer';
  return { [type]: { reference: null, reference_status: null }, type };
}

const TO_CARD = {
  card: { reference_status: 'pending', reference_type: 'acquirer_reference_number', type: 'refund' },
  type: 'card',
};
