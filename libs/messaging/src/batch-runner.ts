import { inTransaction } from '@tidegate/database/transaction';
import { type Transaction } from 'kysely';
import { type Handler, type Incoming } from './incoming.js';
import { completeRows, rowsBehind } from './inbox-batch.js';
import { type InboxKey } from './inbox-key.js';
import { LaneLost, type LaneRow, lockLanes } from './inbox-lanes.js';
import { LaneRunner, type RunnerOptions } from './lane-runner.js';

export const BATCH_LANES = 64;
const BATCH_ROWS = 500;

/**
 * For pure projectors: rows of many lanes in one transaction, lane by lane, each in order of position; row by row when the transaction fails. The lanes come in
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

  /** Runs the claimed rows and those behind them. Returns the earliest retry that came of it, if any. */
  async run(heads: readonly LaneRow[], goOn: () => boolean): Promise<Date | null> {
    const alone = (await this.together(heads)) ? [] : heads;
    const retries: Date[] = [];
    for (const row of alone) {
      const dueAt = await this.lanes.runLane(row, goOn);
      if (dueAt) retries.push(dueAt);
    }
    return retries.sort((a, b) => a.getTime() - b.getTime())[0] ?? null;
  }

  private async together(heads: readonly LaneRow[]): Promise<boolean> {
    if (heads.length <= 1) return heads.length === 0;
    const { options, key } = this;
    try {
      const behind = await rowsBehind(options.db, key, heads, BATCH_ROWS);
      const rows = [...heads, ...behind].sort(byLane);
      const passed = await this.lanes.passed(rows);
      const messages = rows.filter((row) => !passed.has(row.message_id)).map((row) => this.lanes.messageOf(row));
      await inTransaction(options, `${options.service}.${options.durable}.handle`, async (tx) => {
        await options.beforeHandle?.(tx);
        await this.handle(tx, messages);
        await lockLanes(tx, key, options, heads);
        await completeRows(tx, key, rows);
      });
      for (const message of messages) this.lanes.afterCommit(message);
      return true;
    } catch (err) {
      if (!(err instanceof LaneLost))
        options.logger.info(
          { event: 'batch_split', consumer: key.consumer, rows: heads.length, err },
          'A batch failed; its rows run one by one',
        );
      return false;
    }
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
  private handle(tx: Transaction<any>, messages: readonly Incoming[]): Promise<void> {
    return handleTogether(tx, this.options.handler, this.lanes, messages);
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
  if (!handler.handleAll || messages.length === 0) {
    for (const message of messages) await lanes.traced(message, () => handler.handle(tx, message, undefined));
    return;
  }
  const handled = handler.handleAll(tx, messages);
  // Each has a span of its own, as long as that of all. Whatever becomes of a span: as long as the handler is at work the transaction must not go on, nor be rolled back.
  await Promise.allSettled(messages.map(async (message) => lanes.traced(message, () => handled)));
  await handled;
}

/** Aggregates by their names, so that whoever writes to the same rows for them locks these in the same order; each in order of position. */
export const byLane = (a: Pick<Incoming, 'aggregate' | 'position'>, b: Pick<Incoming, 'aggregate' | 'position'>): number =>
  byName(a.aggregate, b.aggregate) || a.position - b.position;

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
