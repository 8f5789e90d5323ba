import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { type Kysely } from 'kysely';
import { answer, type Claim, claim, type ClaimedLease, findKey } from '../idempotency/idempotency.store.js';
import { type PaymentsTables } from '../tables.js';
import { type DecisionWriter } from './decision-writer.js';
import { mayHaveBeenSent } from '../work/work.store.js';
import { type Ask } from './payment.flow.js';
import { type Commit, commit, decided, type Loaded } from './payment.store.js';
import { answersOf, metadataOf } from './recorder.js';
import { type Payment } from './payment.state.js';

export interface AcceptanceDeps {
  db: Kysely<PaymentsTables>;
  failpoints: Failpoints;
  writer: DecisionWriter;
  clock: { now(): Date };
}

/** What was committed to: the payment after it, whether its lease is ours, and the answers that are certain already. */
export interface Accepted {
  after: { state: Payment; version: number };
  lease: ClaimedLease;
  replies: Map<string, HttpReply>;
}

/** Another request has this key. */
class KeyTaken extends Error {}

/** A payment that was never sent, as far as a restored database knows: what Stripe has made of it must be looked for first. */
export class MayHaveBeenSent extends Error {}

/** Claims the key of a request together with what is decided about it. */
export class Acceptance {
  constructor(private readonly deps: AcceptanceDeps) {}

  /** Null when another request has the key. Throws PaymentMoved when somebody else decided about the payment first, and MayHaveBeenSent. */
  async accept(ask: Ask, before: Loaded, events: Commit['events'], holder: string): Promise<Accepted | null> {
    const now = this.deps.clock.now();
    const metadata = { ...metadataOf(ask.cause), command_id: ask.command.command_id };
    const write: Commit = { paymentId: ask.payment_id, before, events, now, metadata };
    const asked = { ...claimOf(ask), details: ask.details, now, holder };
    try {
      return await (before.version === 0 ? this.acceptNew(ask, write, asked) : this.acceptOn(ask, write, asked));
    } catch (error) {
      if (error instanceof KeyTaken) return null;
      throw error;
    }
  }

  /**
   * Stores what is certain without a call. False when another request has the key. `shown`: the payment that the answer shows, which notes the command, because what was
   * answered is found by it when a customer is erased; throws PaymentMoved when it is another by now.
   */
  async refuse(ask: Ask, reply: HttpReply, shown: Loaded | null): Promise<boolean> {
    const now = this.deps.clock.now();
    const { command_id } = ask.command;
    const events = [{ type: 'CommandCompleted' as const, data: { command_id, rejection: null } }];
    const metadata = { ...metadataOf(ask.cause), command_id };
    return inTransaction(this.deps, 'payments.request.refused', async (tx) => {
      if (shown && (await findKey(tx, ask.scope))) return false;
      if (shown) await commit(tx, { paymentId: ask.payment_id, before: shown, events, now, metadata });
      const claimed = await claim(tx, { ...claimOf(ask), details: null, now, holder: null });
      if (claimed.fresh) await answer(tx, new Map([[command_id, reply]]), now);
      return claimed.fresh;
    });
  }

  /** The key and the payment have one id: repetitions wait for the row of the payment and then find it there. Nothing is certain yet. */
  private async acceptNew(ask: Ask, write: Commit, asked: Claim): Promise<Accepted> {
    const { after, rows } = decided(write);
    const { lease } = await this.deps.writer.write({ name: acceptOf(ask), ...rows, claim: asked });
    if (!lease) throw new Error('Bug: an accepted payment has no work');
    return { after, lease, replies: new Map() };
  }

  /** Everyone locks a payment's row before its row of work. */
  private acceptOn(ask: Ask, write: Commit, asked: Claim): Promise<Accepted> {
    return inTransaction(this.deps, acceptOf(ask), async (tx) => {
      const after = await commit(tx, write);
      if (write.events.some(({ type }) => type === 'PaymentCanceled') && (await mayHaveBeenSent(tx, ask.payment_id)))
        throw new MayHaveBeenSent();
      const claimed = await claim(tx, asked);
      // Thrown, so that nothing of the transaction stays.
      if (!claimed.fresh || !claimed.lease) throw new KeyTaken();
      const replies = await answersOf(tx, after.state, write.events, null);
      await answer(tx, replies, write.now);
      return { after, lease: claimed.lease, replies };
    });
  }
}

const acceptOf = (ask: Ask): string => `payments.${ask.operation}.accept`;

const claimOf = (ask: Ask) => ({
  scope: ask.scope,
  request_hash: ask.request_hash,
  command_id: ask.command.command_id,
  payment_id: ask.payment_id,
  request_id: ask.request_id,
});
