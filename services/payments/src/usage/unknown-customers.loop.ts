import { OLDEST_USAGE_MS } from '@tidegate/contracts/usage';
import { type Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { type StripeOutcome, type StripePort } from '@tidegate/stripe-gateway/port';
import { withFailpoints } from '@tidegate/stripe-gateway/with-failpoints';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { nextLookUp } from '../work/schedule.js';
import { countParked } from './usage-event.store.js';

export interface UnknownCustomersDeps {
  db: Kysely<PaymentsTables>;
  stripe: StripePort;
  failpoints: Failpoints;
  clock: { now(): Date };
  logger: Logger;
  reportAfterMs: number;
}

interface Unknown {
  tenant: string;
  customer: string;
  attempt: number;
}

/** Also how long usage waits at most once its customer is here. */
export const UNKNOWN_CUSTOMERS_INTERVAL_MS = 1000;
const BATCH = 100;
const ASKED_AT_ONCE = 10;
/** Of one customer in one pass: whoever has more does not hold up the others. */
const MOST_TRANSACTIONS = 20;
/** An answer that says nothing about the customer: asked again not before this. */
const AGAIN_MS = 5000;
/** Whom a process asks about, others leave alone for so long. */
const ASKING_MS = 30_000;

/**
 * Counts usage whose customer has become known: made through our API, which this sees within a second, or at Stripe with our tenant in the metadata, which is asked
 * at once, after 5 s, 15 s, 60 s, 5 min and then each hour, as long as any of the usage can be billed. Any replica runs it.
 */
export class UnknownCustomers {
  constructor(private readonly deps: UnknownCustomersDeps) {}

  /** One batch; answers of how many customers usage was counted. */
  async runOnce(): Promise<number> {
    let settled = 0;
    for (const one of await this.known()) settled += await this.settle(one, () => this.count(one));
    for (const one of await this.due()) settled += await this.settle(one, async () => ((await this.ask(one)) ? this.count(one) : 0));
    return settled;
  }

  /** What fails for one customer keeps nobody else waiting. */
  private async settle({ tenant, customer }: Unknown, work: () => Promise<number>): Promise<number> {
    try {
      return await work();
    } catch (err) {
      this.deps.logger.error(
        { event: 'usage_release_failed', tenant, customer, err },
        'Usage that is parked could not be counted; it is tried again',
      );
      return 0;
    }
  }

  /** Whoever becomes known is marked in the same transaction, so that this reads nobody else, however many there are. */
  private async known(): Promise<Unknown[]> {
    const { rows } = await sql<Unknown>`
      SELECT tenant, customer, attempt FROM usage_unknown_customers WHERE known ORDER BY since LIMIT ${BATCH}`.execute(this.deps.db);
    return rows;
  }

  /**
   * Of each tenant one before any has two: whoever sends usage of a million customers that do not exist keeps nobody else's waiting. Up to PostgreSQL 15 turns are counted
   * without reading all that are due at the same time only when the frame is one of rows.
   */
  private async due(): Promise<Unknown[]> {
    const now = this.deps.clock.now();
    const { rows } = await sql<Unknown>`
      WITH RECURSIVE tenants AS (
        SELECT min(tenant) AS tenant FROM usage_unknown_customers
        UNION ALL
        SELECT (SELECT min(u.tenant) FROM usage_unknown_customers u WHERE u.tenant > t.tenant) FROM tenants t WHERE t.tenant IS NOT NULL
      ), in_turn AS (
        SELECT of_tenant.ctid FROM tenants t CROSS JOIN LATERAL (
          SELECT u.ctid, row_number() OVER (ORDER BY u.due_at ROWS UNBOUNDED PRECEDING) AS turn FROM usage_unknown_customers u
          WHERE u.tenant = t.tenant AND u.due_at <= ${now} ORDER BY u.due_at LIMIT ${ASKED_AT_ONCE}
        ) of_tenant
        ORDER BY of_tenant.turn, random() LIMIT ${ASKED_AT_ONCE}
      ), due AS (
        -- Each by its place, whatever a planner believes of how many there are.
        SELECT free.ctid FROM in_turn CROSS JOIN LATERAL (
          SELECT u.ctid, u.due_at FROM usage_unknown_customers u WHERE u.ctid = in_turn.ctid FOR UPDATE SKIP LOCKED
        ) free WHERE free.due_at <= ${now}
      )
      UPDATE usage_unknown_customers u SET due_at = ${new Date(now.getTime() + ASKING_MS)}
      WHERE u.ctid = ANY (ARRAY(SELECT ctid FROM due)) RETURNING u.tenant, u.customer, u.attempt`.execute(this.deps.db);
    return rows;
  }

  /** Whether Stripe says that the customer is this tenant's; otherwise it is asked again later. */
  private async ask({ tenant, customer, attempt }: Unknown): Promise<boolean> {
    const { db, failpoints, clock } = this.deps;
    const outcome = await withFailpoints(this.deps.stripe, failpoints, 'payments.usage.customer').retrieveCustomer(customer);
    const now = clock.now();
    if (
      outcome.kind === 'ok' &&
      !outcome.value.deleted &&
      outcome.value.metadata['tenant_id'] === tenant &&
      (await this.own({ tenant, customer }))
    )
      return true;
    const next = nextLook(outcome, attempt, now);
    await db.transaction().execute(async (tx) => {
      await sql`
        UPDATE usage_unknown_customers SET due_at = ${next.dueAt}, attempt = ${next.attempt}
        WHERE tenant = ${tenant} AND customer = ${customer}`.execute(tx);
      // What is too old to be billed is worth no call. With the row held, usage that is parked at this moment is seen here, or sees this.
      await sql`
        UPDATE usage_unknown_customers SET due_at = 'infinity' WHERE tenant = ${tenant} AND customer = ${customer} AND NOT EXISTS (
          SELECT FROM usage_events WHERE tenant = ${tenant} AND customer = ${customer} AND counted_at IS NULL
            AND at > ${new Date(now.getTime() - OLDEST_USAGE_MS)})`.execute(tx);
    });
    return false;
  }

  /** Makes the customer this tenant's; false when he is another one's already, whatever Stripe says now. */
  private async own({ tenant, customer }: Pick<Unknown, 'tenant' | 'customer'>): Promise<boolean> {
    const { db, clock } = this.deps;
    await sql`INSERT INTO usage_customers (customer, tenant, found_at) VALUES (${customer}, ${tenant}, ${clock.now()}) ON CONFLICT DO NOTHING`.execute(
      db,
    );
    const { rows } = await sql<{ tenant: string }>`SELECT tenant FROM usage_customers WHERE customer = ${customer}`.execute(db);
    return rows[0]?.tenant === tenant;
  }

  private async count(one: Unknown): Promise<number> {
    const { tenant, customer } = one;
    let events = 0;
    for (let n = 0, more = true; more && n < MOST_TRANSACTIONS; n += 1) {
      const now = this.deps.clock.now();
      const times = { now, dueAt: new Date(now.getTime() + this.deps.reportAfterMs) };
      const released = await inTransaction(this.deps, 'payments.usage.released', (tx) => countParked(tx, one, times));
      events += released.events;
      more = released.more;
    }
    if (events > 0) this.deps.logger.info({ event: 'usage_released', tenant, customer, events }, 'Usage that was parked is counted');
    return events > 0 ? 1 : 0;
  }
}

/** An answer about the customer makes the next look a round later; one that Stripe did not give says nothing, and the round is asked for again. */
function nextLook(outcome: StripeOutcome<unknown>, attempt: number, now: Date): { dueAt: Date; attempt: number } {
  switch (outcome.kind) {
    case 'refused':
    case 'limited':
    case 'auth':
    case 'in_use':
    case 'unknown': {
      const retryAfterMs = 'retryAfterMs' in outcome ? outcome.retryAfterMs : 0;
      return { dueAt: new Date(now.getTime() + Math.max(retryAfterMs, AGAIN_MS)), attempt };
    }
    case 'ok':
    case 'not_found':
    case 'rejected':
    case 'declined':
      return { dueAt: nextLookUp(now, attempt + 1), attempt: attempt + 1 };
    default:
      return outcome satisfies never;
  }
}
