import type { Finding } from '../compare/finding.js';

/**
 * What would heal a disagreement. `look_up`: payments asks Stripe about its payment, checkout, subscription or invoice and records the answer, as it does for a webhook. `adopt`: the
 * object becomes a payment. `issue_receipt`: receipts gives the payment its number. `refund_duplicate`: a person gives the second charge back, nobody else.
 * `record_fee`: a balance transaction that was missed is posted. `replay_ledger`: the ledger is made anew from its events. `report_usage`: what Stripe counts of an hour
 * is believed, and the difference reported. `add_invoice_item`: a person bills the difference with the next invoice, or gives it back, nobody else.
 * Null: somebody has to look at it.
 */
export type ProposedRepair =
  'look_up' | 'adopt' | 'issue_receipt' | 'refund_duplicate' | 'record_fee' | 'replay_ledger' | 'report_usage' | 'add_invoice_item' | null;

export function proposedRepair(finding: Finding): ProposedRepair {
  const { class: name, object, local_id, payment_id, intent, stripe_id, local, remote } = finding;
  switch (name) {
    case 'status_mismatch':
    case 'amount_mismatch':
    case 'currency_mismatch':
      return payment_id === null ? null : 'look_up';
    case 'missing_remote':
      return local === 'unknown' && payment_id !== null ? 'look_up' : null;
    case 'missing_local':
      return 'adopt';
    case 'refund_mismatch':
    case 'dispute_mismatch':
      // What Stripe gave an id and does not know any more, no question about it brings back.
      if (remote === null && stripe_id !== null) return null;
      return payment_id === null && intent === null ? null : 'look_up';
    case 'checkout_mismatch':
      return object === 'checkout_session' && local_id !== null && remote !== null ? 'look_up' : null;
    case 'subscription_mismatch':
      return remote === null ? null : 'look_up';
    case 'invoice_mismatch':
      // A draft that Stripe does not have was deleted; anything else that it denies needs a person.
      return remote === null && !local?.startsWith('draft') ? null : 'look_up';
    case 'duplicate_charge':
      return 'refund_duplicate';
    case 'receipt_missing':
      return 'issue_receipt';
    case 'ledger_imbalance':
      if (object === 'ledger_clearing') return payment_id === null && intent === null ? null : 'look_up';
      return object === 'balance_transaction' && local === null ? 'record_fee' : 'replay_ledger';
    case 'usage_mismatch':
      if (object === 'invoice_usage') return 'add_invoice_item';
      return finding.beyond_repair ? null : 'report_usage';
    default:
      return name satisfies never;
  }
}

/** Whom payments is asked about, one after the other: a checkout that was paid may have a payment that payments does not know. */
export type Target =
  | { checkout_id: string }
  | { stripe_subscription: string }
  | { stripe_invoice: string }
  | { payment_id: string | null; stripe_payment_intent: string | null };

export function targetsOf({ object, local_id, payment_id, stripe_id, intent }: Finding): Target[] {
  switch (object) {
    case 'payment':
      return [{ payment_id, stripe_payment_intent: stripe_id }];
    case 'refund':
    case 'dispute':
      return [{ payment_id, stripe_payment_intent: intent }];
    case 'receipt':
      return [{ payment_id, stripe_payment_intent: null }];
    case 'ledger_clearing':
      return [{ payment_id, stripe_payment_intent: intent }];
    case 'checkout_session':
      return [
        ...(local_id === null ? [] : [{ checkout_id: local_id }]),
        ...(intent === null ? [] : [{ payment_id: null, stripe_payment_intent: intent }]),
      ];
    case 'subscription':
      return stripe_id === null ? [] : [{ stripe_subscription: stripe_id }];
    case 'invoice':
      return stripe_id === null ? [] : [{ stripe_invoice: stripe_id }];
    case 'balance_transaction':
    case 'ledger_transaction':
    case 'ledger_payment':
    case 'usage_hour':
    case 'invoice_usage':
      return [];
    default:
      return object satisfies never;
  }
}
