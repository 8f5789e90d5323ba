import { type BalanceTransaction } from '../balance-transactions/balance-transaction.js';
import { type Metadata } from '../schema/metadata-param.js';
import { type Stored } from '../store/collection.js';

export type DisputeStatus =
  'warning_needs_response' | 'warning_under_review' | 'warning_closed' | 'needs_response' | 'under_review' | 'won' | 'lost';

export interface EvidenceDetails {
  readonly due_by: number | null;
  readonly enhanced_eligibility: object;
  readonly has_evidence: boolean;
  readonly past_due: boolean;
  readonly submission_count: number;
  readonly submission_method: 'manual' | 'not_submitted';
}

export interface Dispute extends Stored {
  readonly object: 'dispute';
  readonly amount: number;
  readonly balance_transactions: readonly BalanceTransaction[];
  readonly charge: string;
  readonly created: number;
  readonly currency: string;
  readonly enhanced_eligibility_types: readonly string[];
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly evidence_details: EvidenceDetails;
  readonly intended_submission_method: string | null;
  readonly is_charge_refundable: boolean;
  readonly livemode: false;
  readonly metadata: Metadata;
  readonly payment_intent: string;
  /** Absent for bank debits. */
  readonly payment_method_details?: {
    readonly card: {
      readonly brand: string;
      readonly case_type: 'inquiry' | 'chargeback';
      readonly network: string;
      readonly network_reason_code: string;
    };
    readonly type: 'card';
  };
  readonly reason: string;
  readonly status: DisputeStatus;
}

/** A dispute that nobody has decided yet. */
export function isOpen({ status }: Dispute): boolean {
  return status !== 'won' && status !== 'lost' && status !== 'warning_closed';
}

/** An inquiry asks; a chargeback takes the money. */
export function isInquiry({ status }: Dispute): boolean {
  return status.startsWith('warning_');
}
