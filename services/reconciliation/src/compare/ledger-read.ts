import type { LedgerCheck } from '../ledger/check.js';
import type { Imbalance } from '../ledger/check.decide.js';
import { recordCounted } from '../run/progress.store.js';
import type { Finding } from './finding.js';
import type { CompareContext } from './first-read.js';

/** Has the ledger of the period recomputed; what it finds counts beside the suspects that persisted. Throws StripeUnanswered. */
export async function ledgerRead(context: CompareContext, ledger: LedgerCheck): Promise<void> {
  const { found } = await ledger.check(context, context);
  const counted = found.map((one) => ({
    tenant: one.tenant,
    object: one.object,
    // A payment may be among the suspects by the same id.
    key: `ledger:${one.stripe_id ?? one.payment_id}:${one.local}`,
    made_at: one.made_at,
    findings: [findingOf(one)],
  }));
  if (counted.length > 0) await recordCounted(context.db, context, counted);
}

const findingOf = ({ class: name, object, payment_id, stripe_id, local, remote, repair }: Imbalance): Finding => ({
  class: name,
  object,
  local_id: object === 'payment' ? payment_id : null,
  payment_id,
  stripe_id,
  intent: null,
  local,
  remote,
  repair,
});
