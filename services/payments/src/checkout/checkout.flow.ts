import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type RouteRequest } from '@tidegate/contracts/rpc/routes';
import { recordOperatorAction } from '@tidegate/database/operator-action';
import { inTransaction } from '@tidegate/database/transaction';
import { type Logger } from '@tidegate/telemetry/logger';
import { answer, claim } from '../idempotency/idempotency.store.js';
import { type Scope } from '../idempotency/identity.js';
import { type Accepted, type KeyedFlow } from '../idempotency/keyed.flow.js';
import { isErased } from '../customer/customer.erasure.js';
import { problemReply, rejectionReply } from '../payment/payment.reply.js';
import { metadataOf } from '../payment/recorder.js';
import { type RequestDetails } from '../tables.js';
import { oldestRestorePoint } from '../work/restores.store.js';
import { type Held } from '../work/work.store.js';
import { type CarryOn } from './carry-on.flow.js';
import { answersOf } from './checkout.reply.js';
import { type CheckoutCommand } from './checkout.commands.js';
import { decide } from './checkout.decide.js';
import { type CheckoutEvent } from './checkout.events.js';
import { CheckoutMoved, commit, load, type Loaded, nothingLoaded } from './checkout.store.js';
import { type Recorder, type RecorderDeps } from './recorder.js';
import { newRun } from './run.js';
import { openerOf } from './stripe-calls.js';

export interface CheckoutFlowDeps extends RecorderDeps {
  keyed: KeyedFlow;
  carryOn: CarryOn;
  recorder: Recorder;
  logger: Logger;
}

/** One request that wants to change a checkout. */
export interface Ask {
  scope: Scope;
  command_id: string;
  request_hash: string;
  checkout_id: string;
  command: CheckoutCommand;
  details: RequestDetails | null;
  request: RouteRequest;
  startedAt: number;
  objection(): Promise<HttpReply | null>;
  /** What is written down of a change that a person made by hand. */
  audit: { action: string; reason: string; details?: Record<string, unknown> } | null;
}

/** Another request has this key. */
class KeyTaken extends Error {}

/** The steps of a request that changes a checkout: claim its key, decide, commit, then call Stripe and record. */
export class CheckoutFlow {
  constructor(private readonly deps: CheckoutFlowDeps) {}

  handle(ask: Ask): Promise<HttpReply> {
    const { scope, request_hash, command_id, checkout_id, startedAt, request } = ask;
    return this.deps.keyed.handle({
      scope,
      request_hash,
      command_id,
      request_id: request.request_id,
      object_id: checkout_id,
      startedAt,
      needsStripe: ask.command.type !== 'ResolveLateSuccess',
      objection: () => this.objection(ask),
      accept: (holder) => this.accept(ask, holder),
      carryOn: (held, deadline) => this.carryOn(ask, held, deadline),
    });
  }

  private async objection(ask: Ask): Promise<HttpReply | null> {
    if (ask.command.type === 'OpenCheckout') return ask.objection();
    const { state } = await load(this.deps.db, ask.checkout_id);
    if (state.kind === 'none' || state.terms.tenant !== ask.request.tenant)
      return problemReply('not_found', 'There is no such checkout.', ask.request.request_id);
    if (ask.command.type === 'ExtendWindow' && (await isErased(this.deps.db, state.terms.customer)))
      return problemReply('payments.illegal_state', 'Its customer was erased; there is no page for them any more.', ask.request.request_id);
    return ask.objection();
  }

  private async accept(ask: Ask, holder: string): Promise<Accepted> {
    const now = this.deps.clock.now();
    const before = ask.command.type === 'OpenCheckout' ? nothingLoaded : await load(this.deps.db, ask.checkout_id);
    const decision = decide(before.state, ask.command, now);
    try {
      switch (decision.kind) {
        case 'busy':
          return { kind: 'busy' };
        case 'refused':
          return await this.refuse(ask, rejectionReply(decision.rejection, ask.request.request_id), now);
        case 'accepted':
          return await this.begin(ask, before, decision.events, holder);
        default:
          return decision satisfies never;
      }
    } catch (error) {
      if (error instanceof KeyTaken) return { kind: 'taken' };
      if (error instanceof CheckoutMoved) return { kind: 'busy' };
      throw error;
    }
  }

  private async begin(ask: Ask, before: Loaded, events: CheckoutEvent[], holder: string): Promise<Accepted> {
    const now = this.deps.clock.now();
    const metadata = { ...metadataOf(causeOf(ask)), command_id: ask.command_id };
    const { after, lease } = await inTransaction(this.deps, 'payments.checkout.accept', async (tx) => {
      const written = await commit(tx, { checkoutId: ask.checkout_id, before, events, now, metadata });
      const claimed = await claim(tx, { ...claimOf(ask), details: null, now, holder });
      // Thrown, so that nothing of the transaction stays.
      if (!claimed.fresh || !claimed.lease) throw new KeyTaken();
      if (ask.details) {
        const row = { command_id: openerOf(ask.checkout_id), payment_id: ask.checkout_id, details: JSON.stringify(ask.details) };
        await tx
          .insertInto('request_details')
          .values(row)
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }
      if (ask.audit) await recordOperatorAction(tx, { ...ask.audit, actor: ask.request.actor, target: ask.checkout_id }, now);
      await answer(tx, await answersOf(tx, written.state, events), now);
      return { after: written, lease: claimed.lease };
    });
    if (ask.audit) this.audited(ask, ask.audit);
    this.deps.recorder.announce(before, after.state, events);
    if (!lease.held) return { kind: 'waiting' };
    // It may be the repetition of one whose record a restore has lost: what that made is looked for first.
    const takenOver = ask.command.type === 'OpenCheckout' && (await oldestRestorePoint(this.deps.db)) !== null;
    const held: Held = {
      payment_id: ask.checkout_id,
      holder,
      revision: lease.revision,
      due_at: now,
      attempt: 0,
      refresh: lease.refresh,
      woken: null,
      takenOver,
    };
    return { kind: 'running', held };
  }

  /** What the state of the checkout answers by itself is certain: every repetition gets the same bytes. */
  private async refuse(ask: Ask, reply: HttpReply, now: Date): Promise<Accepted> {
    const fresh = await inTransaction(this.deps, 'payments.checkout.refused', async (tx) => {
      const claimed = await claim(tx, { ...claimOf(ask), details: null, now, holder: null });
      if (claimed.fresh) await answer(tx, new Map([[ask.command_id, reply]]), now);
      return claimed.fresh;
    });
    return fresh ? { kind: 'reply', reply } : { kind: 'taken' };
  }

  private async carryOn(ask: Ask, held: Held, deadline: number) {
    const run = newRun(held, await load(this.deps.db, ask.checkout_id), causeOf(ask), deadline);
    await this.deps.carryOn.run(run);
    return { turnedAway: run.turnedAway };
  }

  private audited(ask: Ask, { action, reason }: { action: string; reason: string }): void {
    const fields = { actor: ask.request.actor, action, reason, payment_session_id: ask.checkout_id };
    this.deps.logger.info({ event: 'operator_action', ...fields }, `${action} by hand`);
  }
}

const causeOf = ({ request }: Ask) => ({ correlation_id: request.correlation_id, causation_id: null, actor: request.actor });

const claimOf = (ask: Ask) => ({
  scope: ask.scope,
  request_hash: ask.request_hash,
  command_id: ask.command_id,
  payment_id: ask.checkout_id,
  request_id: ask.request.request_id,
});
