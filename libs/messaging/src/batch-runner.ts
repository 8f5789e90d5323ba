import { AsyncLocalStorage } from 'node:async_hooks';
import { inTransaction } from '@tidegate/database/transaction';
import { type Transaction } from 'kysely';
import { type Handler, type InContextOf, type Incoming } from './incoming.js';
import { completeRows, rowsBehind } from './inbox-batch.js';
import { type InboxKey } from './inbox-key.js';
import { LaneLost, type LaneRow, lockLanes } from './inbox-lanes.js';
import { LaneRunner, type RunnerOptions } from './lane-runner.js';

export const BATCH_LANES = 64;
/** Of a handler that decides: what it locks, others wait for meanwhile. */
export const SOME_LANES = 32;
const BATCH_ROWS = 500;

/**
 * Rows of many lanes in one transaction: of a pure projector lane by lane, each in order of position; of a handler with `handleSome` the lowest of each lane. The lanes come in
 * the order of their names, so that two consumers that write to the same rows for the same aggregates do not lock them crosswise.
 */
export class BatchRunner {
  private readonly lanes: LaneRunner;

  constructor(
    private readonly options: RunnerOptions,
    private readonly key: InboxKey,
  ) {
    this.lanes = new LaneRunner(options, key);
  }

  /** Runs the claimed rows, and of a projector those behind them. Answers the claimed ones that have to run by themselves; all of them when the transaction failed. */
  async run(heads: readonly LaneRow[]): Promise<readonly LaneRow[]> {
    const { options, key } = this;
    try {
      const rows = [...heads, ...(await this.behind(heads))].sort(byLane);
      if (rows.length <= 1) return heads;
      const passed = await this.lanes.passed(rows);
      const messages = new Map(rows.filter((row) => !passed.has(row.message_id)).map((row) => [this.lanes.messageOf(row), row]));
      let left: readonly Incoming[] = [];
      await inTransaction(options, `${options.service}.${options.durable}.handle`, async (tx) => {
        await options.beforeHandle?.(tx);
        left = await this.handle(tx, [...messages.keys()]);
        const alone = new Set(left.map((message) => messages.get(message)));
        const handled = rows.filter((row) => !alone.has(row));
        if (handled.length === 0) return;
        await lockLanes(tx, key, options, handled);
        await completeRows(tx, key, handled);
      });
      for (const message of left) messages.delete(message);
      for (const message of messages.keys()) this.lanes.afterCommit(message);
      const alone = new Set(left.map(({ messageId }) => messageId));
      return heads.filter((row) => alone.has(row.message_id));
    } catch (err) {
      if (!(err instanceof LaneLost))
        options.logger.info(
          { event: 'batch_split', consumer: key.consumer, rows: heads.length, err },
          'A batch failed; its rows run one by one',
        );
      return heads;
    }
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
  private async handle(tx: Transaction<any>, messages: readonly Incoming[]): Promise<readonly Incoming[]> {
    const { handler } = this.options;
    if (!handler.handleSome) return handleTogether(tx, handler, this.lanes, messages).then(() => []);
    return inSpans(this.lanes, messages, async (inContextOf) => handler.handleSome?.(tx, messages, inContextOf) ?? []);
  }

  private async behind(heads: readonly LaneRow[]): Promise<LaneRow[]> {
    const { db, handler } = this.options;
    return handler.projector === true ? rowsBehind(db, this.key, heads, BATCH_ROWS) : [];
  }
}

/** Of each aggregate in order of position. */
export async function handleTogether(
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
  tx: Transaction<any>,
  handler: Handler,
  lanes: LaneRunner,
  messages: readonly Incoming[],
): Promise<void> {
  if (handler.handleAll && messages.length > 0) return inSpans(lanes, messages, async () => handler.handleAll?.(tx, messages));
  for (const message of messages) await lanes.traced(message, () => handler.handle(tx, message, undefined));
}

/** Each message has a span of its own, as long as that of all. */
async function inSpans<T>(lanes: LaneRunner, messages: readonly Incoming[], work: (inContextOf: InContextOf) => Promise<T>): Promise<T> {
  const contexts = new Map<Incoming, ReturnType<typeof AsyncLocalStorage.snapshot>>();
  const worked = Promise.withResolvers<T>();
  const spans = messages.map((message) =>
    lanes.traced(message, () => {
      contexts.set(message, AsyncLocalStorage.snapshot());
      return worked.promise;
    }),
  );
  void work((message, inside) => contexts.get(message)!(inside)).then(worked.resolve, worked.reject);
  // Whatever becomes of a span: as long as the handler is at work the transaction must not go on, nor be rolled back.
  await Promise.allSettled(spans);
  return worked.promise;
}

/** Aggregates by their names, so that whoever writes to the same rows for them locks these in the same order; each in order of position. */
export const byLane = (a: Pick<Incoming, 'aggregate' | 'position'>, b: Pick<Incoming, 'aggregate' | 'position'>): number =>
  byName(a.aggregate, b.aggregate) || a.position - b.position;

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
