import { recordOperatorAction } from '@tidegate/database/operator-action';
import { inTransaction } from '@tidegate/database/transaction';
import { type Logger } from '@tidegate/telemetry/logger';
import { sql } from 'kysely';
import { answer } from '../idempotency/idempotency.store.js';
import { commit, load, PaymentMoved } from '../payment/payment.store.js';
import { answersOf, metadataOf, type RecorderDeps } from '../payment/recorder.js';
import { mayHaveBeenSent } from '../work/work.store.js';
import { decideDeadLetter, type Kept } from './dead-letter.decide.js';

export interface DeadLetterDeps extends RecorderDeps {
  logger: Logger;
}

/** Who wants it, and why. */
export interface Order {
  actor: string;
  reason: string;
  correlationId: string;
}

/**
 * Takes one payment out of the queue: canceled, its request answered, its work gone, the action written down, in one transaction. The payment's version finds out
 * whether a loop sent it in the same moment; then it stays. So does one that may have been sent in the time that a restore of the database lost.
 */
export async function deadLetter(deps: DeadLetterDeps, paymentId: string, order: Order): Promise<{ kind: 'canceled' } | Kept> {
  for (;;) {
    const before = await load(deps.db, paymentId);
    const decision = decideDeadLetter(before.state);
    if (decision.kind === 'kept') return decision;
    const now = deps.clock.now();
    const cause = { correlation_id: order.correlationId, causation_id: null, actor: order.actor };
    try {
      const done = await inTransaction(deps, 'payments.retry.dead_lettered', async (tx) => {
        await tx.selectFrom('payments').select('id').where('id', '=', paymentId).forUpdate().execute();
        if (await mayHaveBeenSent(tx, paymentId)) return null;
        const { state } = await commit(tx, { paymentId, before, events: decision.events, now, metadata: metadataOf(cause) });
        const replies = await answersOf(tx, state, decision.events, null);
        await answer(tx, replies, now);
        await sql`DELETE FROM payment_work WHERE payment_id = ${paymentId} AND NOT refresh`.execute(tx);
        await recordOperatorAction(tx, { actor: order.actor, action: 'retry.dead_letter', target: paymentId, reason: order.reason }, now);
        return { after: state, commands: [...replies.keys()] };
      });
      if (!done) return { kind: 'kept', why: 'submitted' };
      deps.onCommitted();
      deps.metrics.changed(before.state, done.after);
      for (const name of [...done.commands, paymentId]) deps.signals.wake(name);
      return { kind: 'canceled' };
    } catch (error) {
      if (!(error instanceof PaymentMoved)) throw error;
    }
  }
}
