import { type ProblemCode } from '@tidegate/contracts/problem';
import { type HttpReply, jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { type Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { type StripeOutcome } from '@tidegate/stripe-gateway/port';
import { type Kysely } from 'kysely';
import { answer, requestIdOf } from '../idempotency/idempotency.store.js';
import { type BillingMetrics } from '../observed/billing.metrics.js';
import { problemReply } from '../payment/payment.reply.js';
import { type PaymentsTables } from '../tables.js';
import { type Command, type Step } from './command.decide.js';
import { advance, cancelOrphan } from './command.store.js';
import { dunningsOf, subscriptionView } from './subscription.view.js';

export interface CommandRecorderDeps {
  db: Kysely<PaymentsTables>;
  failpoints: Failpoints;
  clock: { now(): Date };
  billingMetrics: BillingMetrics;
  onWork(): void;
}

/** Why a request ended without its effect. */
export interface Refusal {
  code: ProblemCode;
  detail: string;
  /** The field of the request, where one is to blame. */
  path: string | null;
}

export const EXPIRED: Refusal = {
  code: 'subscriptions.expired',
  detail: 'Stripe could not be reached before the not_after of the request. Nothing was made; ask again with a new key.',
  path: null,
};

export const refusedByStripe = (outcome: StripeOutcome<unknown>): Refusal => ({
  code: 'payments.rejected_by_stripe',
  detail: 'message' in outcome ? outcome.message : 'Stripe refused this.',
  path: 'param' in outcome ? outcome.param : null,
});

/** Writes down how far commands have come, and with their end the answer to their request, which is certain from then on. */
export class CommandRecorder {
  constructor(private readonly deps: CommandRecorderDeps) {}

  /** One step from the version that was read; nothing happens when somebody else was faster. `refusal` is for a step that ends it so. */
  async step(
    name: string,
    command: Command,
    step: Step,
    { orphans = [], refusal = null }: { orphans?: string[]; refusal?: Refusal | null } = {},
  ): Promise<void> {
    const { clock, billingMetrics, onWork } = this.deps;
    const after = await inTransaction(this.deps, name, async (tx) => {
      const now = clock.now();
      const written = await advance(tx, command, step);
      if (!written) return null;
      for (const orphan of orphans) await cancelOrphan(tx, orphan, command, now);
      if (written.state === 'refused') await answer(tx, new Map([[command.command_id, await refusalReply(tx, command, refusal)]]), now);
      return written;
    });
    if (after?.state === 'refused') billingMetrics.settled(command.kind, refusal?.code === EXPIRED.code ? 'expired' : 'refused');
    if (orphans.length > 0) onWork();
  }

  /** It is done: what is known of the subscription by now is the answer. */
  async done(command: Command, secret: string | null): Promise<void> {
    const { clock, billingMetrics } = this.deps;
    const reply = await this.replyTo(command, secret);
    const after = await inTransaction(this.deps, 'payments.subscription.settled', async (tx) => {
      const settled = await advance(tx, command, { state: 'done' });
      if (settled) await answer(tx, new Map([[command.command_id, reply]]), clock.now());
      return settled;
    });
    if (after) billingMetrics.settled(command.kind, 'done');
  }

  private async replyTo({ kind, subscription }: Command, secret: string | null): Promise<HttpReply> {
    const { db } = this.deps;
    const row = await db
      .selectFrom('subscriptions')
      .selectAll()
      .where('id', '=', subscription ?? '')
      .executeTakeFirstOrThrow();
    const view = subscriptionView(row, (await dunningsOf(db, [row.id])).get(row.id) ?? null);
    return jsonReply(kind === 'create' ? 201 : 200, { ...view, ...(secret === null ? {} : { client_secret: secret }) });
  }
}

export async function refusalReply(db: Kysely<PaymentsTables>, { command_id }: Command, refusal: Refusal | null): Promise<HttpReply> {
  if (refusal === null) throw new Error('Bug: a command is refused without a reason');
  const { code, detail, path } = refusal;
  return problemReply(code, detail, await requestIdOf(db, command_id), path === null ? {} : { errors: [{ path, message: detail }] });
}
