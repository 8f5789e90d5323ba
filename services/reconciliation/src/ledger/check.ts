import type { BalanceTransaction } from '@tidegate/stripe-gateway/intent';
import type { StripePort } from '@tidegate/stripe-gateway/port';
import type { Clock } from '@tidegate/service-host/clock';
import { type Patience, readPatiently } from '../compare/patient-stripe.js';
import { differing, type Imbalance, notAtStripe, notPosted } from './check.decide.js';
import {
  disagreeingClearing,
  disagreeingPayments,
  type LedgerScope,
  postedOf,
  postedOthers,
  recordedFees,
  sweptTo,
  unbalancedTransactions,
} from './check.query.js';
import { pendingFees } from './pending.query.js';
import { type AttributionParts, unrecorded } from './record-movements.js';

export type { LedgerScope } from './check.query.js';

/** `fee_pending`: sales that Stripe has not settled yet; counted, never repaired. */
export interface LedgerReport {
  found: Imbalance[];
  fee_pending: number;
}

/** What a reconciliation run asks of the ledger. Throws StripeUnanswered when a page cannot be read, and the signal's reason. */
export interface LedgerCheck {
  check(scope: LedgerScope, patience: Patience): Promise<LedgerReport>;
}

export interface LedgerCheckParts extends AttributionParts {
  stripe: Pick<StripePort, 'retrieveIntent' | 'listBalanceTransactions'>;
  clock: Clock;
}

const PAGE = 100;

/**
 * Recomputes the ledger: every transaction of the period sums to zero in each currency; each payment was posted with what is recorded of it; both sides of
 * clearing agree; and Stripe's balance transactions of the period are posted as Stripe shows them, none more and none less. What the sweep has not come to yet
 * is no disagreement.
 */
export const ledgerCheck = (parts: LedgerCheckParts): LedgerCheck => ({
  async check(scope, patience) {
    const { db, clock } = parts;
    const found = [
      ...(await unbalancedTransactions(db, scope)),
      ...(await disagreeingPayments(db, scope, clock.now())),
      ...(await disagreeingClearing(db, scope, clock.now())),
      ...(await compareMovements(parts, scope, patience)),
    ];
    const { pending } = await pendingFees(db, { tenant: scope.tenant, before: new Date(scope.period.lt * 1000) });
    return { found, fee_pending: pending };
  },
});

/** A merge of Stripe's list, newest first, with what is posted of the same seconds. One page is held at a time. */
async function compareMovements(parts: LedgerCheckParts, scope: LedgerScope, patience: Patience): Promise<Imbalance[]> {
  const { db, stripe } = parts;
  const readTo = await sweptTo(db);
  const found: Imbalance[] = [];
  let place: { starting_after?: string } = {};
  let [upper, ofUpper]: [number, string[]] = [scope.period.lt, []];
  for (let more = true; more;) {
    const page = await readPatiently(() => stripe.listBalanceTransactions({ limit: PAGE, created: scope.period, ...place }), patience);
    const movements = page?.data ?? [];
    const last = movements.at(-1);
    more = page?.has_more === true && last !== undefined;
    found.push(...(await comparePage(parts, scope.tenant, movements, { readTo, patience })));
    // The oldest second of a page may go on in the next one, and is compared with what is posted of it then.
    const lower: number = more && last ? last.created + 1 : scope.period.gte;
    const listed = [...ofUpper, ...movements.map((one) => one.id)];
    found.push(...(await postedOthers(db, { ...scope, period: { gte: lower, lt: upper } }, listed)).map(notAtStripe));
    ofUpper = lower === upper ? listed : movements.filter((one) => one.created < lower).map((one) => one.id);
    upper = lower;
    if (last) place = { starting_after: last.id };
  }
  return found;
}

async function comparePage(
  parts: LedgerCheckParts,
  tenant: string | null,
  movements: readonly BalanceTransaction[],
  { readTo, patience }: { readTo: number; patience: Patience },
): Promise<Imbalance[]> {
  const posted = await postedOf(
    parts.db,
    movements.map((one) => one.id),
  );
  const missing = movements.filter((one) => !posted.has(one.id) && one.created < readTo && (one.amount !== 0 || one.fee !== 0));
  const recorded = await recordedFees(
    parts.db,
    missing.map((one) => one.id),
  );
  const fresh = await unrecorded(parts, missing, patience);
  const isWanted = (one: { tenant: string }) => tenant === null || one.tenant === tenant;
  return [
    ...recorded.filter(isWanted).map((one) => notPosted(one, { recorded: true })),
    ...fresh
      .map(({ data }) => data)
      .filter(isWanted)
      .map((one) => notPosted(one, { recorded: false })),
    ...movements.flatMap((one) => {
      const ours = posted.get(one.id);
      return ours && isWanted(ours) ? differing(ours, one) : [];
    }),
  ];
}
