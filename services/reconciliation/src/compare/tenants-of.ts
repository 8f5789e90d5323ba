import { tenantIn } from '../ledger/attribution.decide.js';
import type { CompareRules } from './finding.js';
import type { CompareDb, Local, Remote } from './kind.js';

/** Stands in a tenant's place where an object is nobody's here; no tenant can be called so. */
export const NOBODY = '*foreign';

/**
 * Whose each object is, by its id: of what is recorded, else of its metadata, else of its payment. What hangs on an intent that nobody knows is of the account,
 * and NOBODY's when unmarked objects are declared foreign.
 */
export async function tenantsOf(
  { db, rules }: { db: CompareDb; rules: CompareRules },
  remotes: readonly Remote[],
  recorded: ReadonlyMap<string, Local>,
): Promise<Map<string, string>> {
  const named = ({ id, metadata }: Remote) => recorded.get(id)?.tenant ?? tenantIn(metadata) ?? undefined;
  const intents = remotes.flatMap((one) => (named(one) === undefined ? (one.payment_intent ?? []) : []));
  const ofIntent = await tenantsOfIntents(db, intents);
  const unnamed = (remote: Remote) => {
    if (typeof remote.payment_intent !== 'string') return rules.accountTenant;
    return ofIntent.get(remote.payment_intent) ?? (rules.unmarked === 'foreign' ? NOBODY : rules.accountTenant);
  };
  return new Map(remotes.map((remote) => [remote.id, named(remote) ?? unnamed(remote)]));
}

async function tenantsOfIntents(db: CompareDb, intents: readonly string[]): Promise<Map<string, string>> {
  if (intents.length === 0) return new Map();
  const rows = await db
    .selectFrom('recorded_payments')
    .select(['stripe_payment_intent', 'tenant'])
    .where('stripe_payment_intent', 'in', intents)
    .execute();
  return new Map(rows.map((row) => [row.stripe_payment_intent!, row.tenant]));
}
