import type { ListQuery, Page, StripeOutcome, StripePort } from '@tidegate/stripe-gateway/port';
import type { Kysely } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import type { Comparison, CompareRules, ObjectName } from './finding.js';
import type { Pass, UsageComparer } from './usage.port.js';

export type CompareDb = Kysely<ReconciliationTables>;

/** What a kind may ask of Stripe. */
export type CompareStripe = Pick<
  StripePort,
  | 'listIntents'
  | 'listCharges'
  | 'listRefunds'
  | 'listDisputes'
  | 'listCheckoutSessions'
  | 'listSubscriptions'
  | 'listInvoices'
  | 'listInvoiceLines'
  | 'retrieveIntent'
  | 'retrieveRefund'
  | 'retrieveDispute'
  | 'retrieveCheckoutSession'
  | 'retrieveSubscription'
  | 'retrieveInvoice'
  | 'retrieveCustomer'
  | 'listInvoicePayments'
  | 'listBalanceTransactions'
  | 'retrieveBalanceTransaction'
>;

/** An object on a page of Stripe's. */
export interface Remote {
  id: string;
  object?: string;
  created: number;
  payment_intent?: string | null;
  customer?: string | null;
  metadata: Record<string, string>;
}

/** A row of ours. */
export interface Local {
  tenant: string;
  /** When what is recorded changed last. */
  updated_at: Date;
  /** When the object was made, as far as we know. */
  made_at: Date;
}

/** Something that seemed to disagree at first sight. Ids of both sides as far as known. */
export interface Suspect {
  object: ObjectName;
  tenant: string;
  local_id: string | null;
  stripe_id: string | null;
}

export interface UnseenQuery {
  runId: string;
  /** Null: of every tenant. */
  tenant: string | null;
  /** Unix seconds, `gte` <= t < `lt`. */
  period: { gte: number; lt: number };
  limit: number;
  /** Id of the last one of the page before; empty for the first. */
  after: string;
}

/** What a run is about, as far as kinds are concerned. */
export interface RunScope {
  trigger: 'operator' | 'daily' | 'rolling';
  /** Does the work of the day, whoever asked for it: of every tenant, in all classes, from before yesterday on. What came late is looked for then, however old. */
  ofTheDay: boolean;
  /** Null: all. */
  classes: readonly string[] | null;
  /** Null: of every tenant. */
  tenant: string | null;
}

/** What else a list may need. */
export interface ListScope extends RunScope, Pass {
  usage: UsageComparer;
  /** Where the page before ended. */
  cursor: string | null;
}

/**
 * A page; `ours` where one of our services has made it, with where it goes on, how many objects that service looked at, and how many pages of Stripe's it was made from: none
 * when absent.
 */
export type KindPage<R> = Page<R> & { ours?: { cursor: string | null; objects: number; pages?: number } };

/** Stripe's side of a kind. */
export interface RemoteSide<R extends Remote, L extends Local> {
  list(
    stripe: CompareStripe,
    query: ListQuery & { created: { gte: number; lt: number } },
    scope: ListScope,
  ): Promise<StripeOutcome<KindPage<R>>>;
  /** What is recorded for these, by Stripe's id: what names the object, else what the object names. */
  recordedFor(db: CompareDb, remotes: readonly R[]): Promise<Map<string, L>>;
  compare(recorded: L | null, remote: R, rules: CompareRules): Comparison;
  /** Whether the remote is the one that the row is about, so that the row is not missing at Stripe. */
  isOf(recorded: L, remote: R): boolean;
  /** Absent: suspects are looked at as objects of another kind. */
  retrieve?(stripe: CompareStripe, id: string, scope: Pick<ListScope, 'usage' | keyof Pass>): Promise<StripeOutcome<R>>;
  /** What is looked at again; the object itself by default. */
  suspectOf?(recorded: L | null, remote: R): Pick<Suspect, 'object' | 'local_id' | 'stripe_id'>;
  /** Of those that nothing is recorded for: whose disagreement it is instead, by Stripe's id. */
  explained?(db: CompareDb, remotes: readonly R[]): Promise<Map<string, Pick<Suspect, 'object' | 'local_id' | 'stripe_id'>>>;
  /** What is counted beside the classes. */
  tally?(remote: R): 'fee_pending' | 'usage_not_compared' | null;
  /** Whether this list counts what is foreign; false where another list has counted it. */
  countsForeign: boolean;
}

/** Our side of a kind. */
export interface LocalSide<L extends Local> {
  /** Rows of the period that were on no page, by id. */
  unseen(db: CompareDb, query: UnseenQuery): Promise<L[]>;
  byId(db: CompareDb, id: string): Promise<L | null>;
  compareAbsent(recorded: L): Comparison;
  idOf(recorded: L): string;
  stripeIdOf(recorded: L): string | null;
}

/** One kind of object, and how both sides of it are compared. A new one is a file and a line in kinds.ts. */
export interface ObjectKind<R extends Remote, L extends Local> {
  /** Of rows and suspects; a list whose suspects are of another kind has a name of its own. */
  name: ObjectName | 'charge';
  /** Whether a run reads it; absent: each does. */
  isWanted?(run: RunScope): boolean;
  remote?: RemoteSide<R, L>;
  local?: LocalSide<L>;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the list of kinds has them of every type
export type AnyKind = ObjectKind<any, any>;
