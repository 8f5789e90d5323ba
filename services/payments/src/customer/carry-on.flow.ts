import { type Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { everyPage } from '@tidegate/stripe-gateway/every-page';
import { type Customer as StripeCustomer } from '@tidegate/stripe-gateway/intent';
import { type StripeFailure, type StripeOutcome, type StripePort } from '@tidegate/stripe-gateway/port';
import { withFailpoints } from '@tidegate/stripe-gateway/with-failpoints';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Kysely } from 'kysely';
import { answer, requestIdOf } from '../idempotency/idempotency.store.js';
import { problemReply } from '../payment/payment.reply.js';
import { type PaymentsTables } from '../tables.js';
import { type LeaseKeeper } from '../work/lease-keeper.js';
import { type LostObjects, together } from '../work/lost-objects.js';
import { nextLookUp, nextRetry } from '../work/schedule.js';
import { type Signals } from '../work/signals.js';
import { type Held, release, type WaitsFor } from '../work/work.store.js';
import { type Change, type Customer, decideCreated, decideDeleted, decideFound } from './customer.decide.js';
import { forgetEnded } from './customer.erasure.js';
import { change, findByRef } from './customer.store.js';
import { viewOf } from './customer.view.js';

export interface CustomerCarryOnDeps {
  db: Kysely<PaymentsTables>;
  stripe: StripePort;
  failpoints: Failpoints;
  clock: { now(): Date };
  signals: Signals;
  keeper: LeaseKeeper;
  lost: LostObjects<StripeCustomer>;
  logger: Logger;
  onWork(): void;
  random(): number;
}

/** When to go on, and why no call could be made, if that was the reason. */
interface End {
  dueAt: Date | null;
  turnedAway: { retryAfterMs: number } | null;
  refused: boolean;
  /** No answer of Stripe's is waited for: only for a time, or for the next run. */
  waitsForTime?: true;
  queued?: true;
}

const CALLS_PER_RUN = 2;
/** How often payments and checkouts of an erased customer are looked at that have not ended. */
const UNDER_WAY_MS = 24 * 3_600_000;
/** Lists are searched from a little before the first call, for clocks that differ. Seconds. */
const EARLIER = 300;
/** No call makes a customer later than this after its key was committed to: a key is repeated for 23 hours. Seconds. */
const LATER = 48 * 3600;

/** Takes a customer as far as it gets now: makes it at Stripe, looks for it when no answer came, deletes it there when it was erased here, and forgets the rest. */
export class CustomerCarryOn {
  constructor(private readonly deps: CustomerCarryOnDeps) {}

  /**
   * One tenure of the lease. When it throws, the lease runs out by itself and the next holder looks before it calls. No step begins after `deadline` (epoch
   * milliseconds): the loop goes on then.
   */
  async run(held: Held, deadline = Infinity): Promise<Pick<End, 'turnedAway'>> {
    this.deps.keeper.keep(held);
    try {
      const end = await this.settle(held, deadline);
      const waitsFor = waitOf(end);
      const left = end.dueAt && { dueAt: end.dueAt, attempt: held.attempt + (end.refused || end.queued ? 0 : 1), waitsFor };
      const { more } = await release(this.deps.db, held, left);
      this.deps.signals.wake(held.payment_id);
      if (more || end.queued) this.deps.onWork();
      return end;
    } finally {
      this.deps.keeper.drop(held);
    }
  }

  private async settle(held: Held, deadline: number): Promise<End> {
    let stale = held.takenOver;
    for (let calls = 0; ;) {
      const customer = await findByRef(this.deps.db, held.payment_id);
      if (customer?.status === 'erased') return this.forgetTheRest(customer);
      if (customer?.status !== 'creating' && customer?.status !== 'erasing') return done;
      if (customer.status === 'erasing') {
        const end = await this.remove(held, customer);
        if (end) return end;
        continue;
      }
      const interrupted = stale && customer.call_answer === 'awaited';
      stale = false;
      if (interrupted) {
        // Written down, because who comes next takes over from nobody, perhaps when Stripe has forgotten the key.
        await change(this.deps.db, customer, { call_answer: 'missing', call_stored: false });
        continue;
      }
      if (Date.now() >= deadline) return { ...done, dueAt: this.deps.clock.now(), queued: true };
      if (customer.call_answer === 'missing') {
        const end = await this.find(held, customer);
        if (end) return end;
        continue;
      }
      if (calls >= CALLS_PER_RUN) return this.later(held, null);
      calls += 1;
      const outcome = await this.create(customer);
      const decided = decideCreated(outcome);
      if (decided === null) return this.later(held, outcome);
      await this.record('payments.customer.create_recorded', customer, decided, outcome);
    }
  }

  /** All it sends follows from the row, so that a repeated call is byte-equal. */
  private create({ command_id, call_n, tenant, email, name, locale, metadata }: Customer) {
    return this.at('payments.customer.create').createCustomer(
      {
        metadata: { ...metadata, tenant_id: tenant, command_id },
        ...(email === null ? {} : { email }),
        ...(name === null ? {} : { name }),
        ...(locale === null ? {} : { locale }),
      },
      `${command_id}:customer:${call_n}`,
    );
  }

  private async find(held: Held, customer: Customer): Promise<End | null> {
    const all = await this.madeFor(customer);
    if (all.kind !== 'ok') return this.later(held, all);
    const decided = decideFound(customer, all.value, this.deps.clock.now());
    const name = all.value.length > 0 ? 'payments.customer.create_recorded' : 'payments.customer.submitted';
    if (decided) await this.record(name, customer, decided, null);
    return null;
  }

  /** Whatever Stripe's list shows that our calls made, under whichever key, also in a time whose record a restore has lost. */
  private async madeFor({
    command_id,
    created_at,
    call_since,
  }: Customer): Promise<{ kind: 'ok'; value: StripeCustomer[] } | StripeFailure> {
    const list = this.at('payments.customer.lookup_list');
    const gte = Math.floor(created_at.getTime() / 1000) - EARLIER;
    const lte = Math.floor(call_since.getTime() / 1000) + LATER;
    const all = await everyPage((query) => list.listCustomers(query), { created: { gte, lte } });
    if (all.kind !== 'ok') return all;
    const lost = await this.deps.lost.of(command_id);
    if (lost.kind !== 'ok') return lost;
    const ours = all.value.filter((one) => one.metadata['command_id'] === command_id);
    return { kind: 'ok', value: together(ours, lost.value) };
  }

  /** The customer and the answer of its request, which is certain with it. */
  private async record(name: string, customer: Customer, decided: Exclude<Change, null>, outcome: StripeOutcome<unknown> | null) {
    await inTransaction(this.deps, name, async (tx) => {
      const after = await change(tx, customer, decided);
      if (after?.status === 'active') await answer(tx, new Map([[after.command_id, jsonReply(201, viewOf(after))]]), this.deps.clock.now());
      if (after?.status !== 'refused') return;
      const rejection = rejectedReply(outcome, await requestIdOf(tx, after.command_id));
      await answer(tx, new Map([[after.command_id, rejection]]), this.deps.clock.now());
    });
  }

  private async remove(held: Held, customer: Customer): Promise<End | null> {
    // A second key may have made a second one: Stripe's list was behind an error that it kept under the first.
    const twins = customer.call_n > 1 ? await this.madeFor(customer) : { kind: 'ok' as const, value: [] };
    if (twins.kind !== 'ok') return this.later(held, twins);
    for (const { id } of twins.value.filter((one) => !one.deleted && one.id !== customer.stripe_customer)) {
      const outcome = await this.at('payments.customer.delete').deleteCustomer(id);
      if (decideDeleted(outcome) === null) return this.later(held, outcome);
    }
    const outcome = await this.at('payments.customer.delete').deleteCustomer(customer.stripe_customer ?? '');
    const decided = decideDeleted(outcome);
    if (decided === null) return this.later(held, outcome);
    await inTransaction(this.deps, 'payments.customer.delete_recorded', (tx) => change(tx, customer, decided));
    return null;
  }

  /**
   * Payments and checkouts that were under way when the customer was erased still know the person, and an answer that was on its way may have been stored since: so
   * there is another look at least once, a day later.
   */
  private async forgetTheRest(customer: Customer): Promise<End> {
    const now = this.deps.clock.now().getTime();
    const left = !(await forgetEnded(this.deps.db, customer));
    if (!left && now >= (customer.erased_at?.getTime() ?? 0) + UNDER_WAY_MS) return done;
    return { ...done, dueAt: new Date(now + UNDER_WAY_MS), waitsForTime: true };
  }

  private later(held: Held, outcome: StripeOutcome<unknown> | null): End {
    const now = this.deps.clock.now();
    if (outcome === null || outcome.kind === 'unknown' || outcome.kind === 'rejected' || outcome.kind === 'declined')
      return { dueAt: nextLookUp(now, held.attempt + 1), turnedAway: null, refused: false };
    const retryAfterMs = 'retryAfterMs' in outcome ? outcome.retryAfterMs : 0;
    const dueAt = nextRetry(now, held.attempt, retryAfterMs, this.deps.random());
    return { dueAt, turnedAway: { retryAfterMs }, refused: outcome.kind === 'refused' };
  }

  private at(name: string): StripePort {
    return withFailpoints(this.deps.stripe, this.deps.failpoints, name);
  }
}

function waitOf({ refused, turnedAway, waitsForTime, queued }: End): WaitsFor {
  if (waitsForTime) return 'window';
  if (queued) return 'queued';
  if (refused) return 'breaker_open';
  return turnedAway ? 'rate_limited' : 'answer_missing';
}

/** One run of the loop. */
export async function carryCustomer(carryOn: CustomerCarryOn, logger: Logger, held: Held): Promise<void> {
  try {
    await carryOn.run(held);
  } catch (err) {
    logger.error({ event: 'customer_run_failed', customer_ref: held.payment_id, err }, 'A run broke off; the next one goes on in 5 s');
  }
}

/** Names the field, because the text does not quote what was in it. */
function rejectedReply(outcome: StripeOutcome<unknown> | null, requestId: string): HttpReply {
  const said = outcome && 'message' in outcome ? outcome.message : 'Stripe refused this customer.';
  const path = outcome?.kind === 'rejected' ? outcome.param : null;
  return problemReply('payments.rejected_by_stripe', said, requestId, path === null ? {} : { errors: [{ path, message: said }] });
}

const done: End = { dueAt: null, turnedAway: null, refused: false };
