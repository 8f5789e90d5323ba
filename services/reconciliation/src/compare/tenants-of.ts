import { tenantIn } from '../ledger/attribution.decide.js';
import { namedBy } from '../ledger/record-movements.js';
import type { CompareRules } from './finding.js';
import type { CompareDb, CompareStripe, Local, Remote } from './kind.js';
import { type Patience, readPatiently } from './patient-stripe.js';

/** Stands in a tenant's place where an object is nobody's here; no tenant can be called so. */
export const NOBODY = '*foreign';

interface Asking extends Patience {
  db: CompareDb;
  stripe: Pick<CompareStripe, 'retrieveIntent' | 'listInvoicePayments' | 'retrieveInvoice' | 'retrieveCustomer'>;
  rules: CompareRules;
}

/**
 * Whose each object is, by its id: of what is recorded, else of its metadata, else of its payment, else of the invoice that its intent pays, else of its customer; Stripe is
 * asked for these two only where the object `isMissed` here. What hangs on an intent that nobody knows is of the account when neither says otherwise, and NOBODY's when
 * unmarked objects are declared foreign. Throws StripeUnanswered.
 */
export async function tenantsOf(
  context: Asking,
  remotes: readonly Remote[],
  recorded: ReadonlyMap<string, Local>,
  isMissed: (remote: Remote) => boolean,
): Promise<Map<string, string>> {
  const { db, rules } = context;
  const named = ({ id, metadata }: Remote) => recorded.get(id)?.tenant ?? tenantIn(metadata) ?? undefined;
  const intents = remotes.flatMap((one) => (named(one) === undefined ? (one.payment_intent ?? []) : []));
  const ofIntent = await tenantsOfIntents(db, intents);
  const tenants = new Map<string, string>();
  for (const remote of remotes) {
    const hangs = typeof remote.payment_intent === 'string';
    const known =
      named(remote) ?? ofIntent.get(remote.payment_intent ?? '') ?? (hangs && rules.unmarked === 'foreign' ? NOBODY : undefined);
    tenants.set(remote.id, known ?? (isMissed(remote) ? await tenantAtStripe(context, remote) : null) ?? rules.accountTenant);
  }
  return tenants;
}

/** Whom Stripe names for an object: payments takes it up for that tenant. Null when nobody is named. */
async function tenantAtStripe({ stripe, ...patience }: Asking, remote: Remote): Promise<string | null> {
  const { payment_intent, customer = null } = remote;
  const intent = payment_intent ? await readPatiently(() => stripe.retrieveIntent(payment_intent), patience) : intentIn(remote);
  if (intent) {
    const { metadata, invoiceTenant, customerTenant } = await namedBy(stripe, intent, patience);
    return tenantIn(metadata) ?? invoiceTenant ?? customerTenant;
  }
  const shown = customer === null ? null : await readPatiently(() => stripe.retrieveCustomer(customer), patience);
  return tenantIn(shown?.metadata ?? {});
}

const intentIn = ({ object, customer = null, ...remote }: Remote) => (object === 'payment_intent' ? { ...remote, customer } : null);

async function tenantsOfIntents(db: CompareDb, intents: readonly string[]): Promise<Map<string, string>> {
  if (intents.length === 0) return new Map();
  const rows = await db
    .selectFrom('recorded_payments')
    .select(['stripe_payment_intent', 'tenant'])
    .where('stripe_payment_intent', 'in', intents)
    .execute();
  return new Map(rows.map((row) => [row.stripe_payment_intent!, row.tenant]));
}
