import { inTransaction } from '@tidegate/database/transaction';
import { byLane, handleTogether } from './batch-runner.js';
import { takeArrivals } from './inbox-in-order.js';
import { type InboxKey } from './inbox-key.js';
import { lockLanes } from './inbox-lanes.js';
import { type Arrival, type Stored } from './inbox-store.js';
import { type Incoming } from './incoming.js';
import { LaneRunner, type RunnerOptions } from './lane-runner.js';
import { processGate } from './lane-workers.js';

/** Fewer messages than these come one by one through their lanes, as they do in everyday traffic. */
const BACKLOG = 16;

/**
 * For projectors with `handleAll`: a page that came in order from the stream is stored, handled and marked done in one transaction. Whatever keeps it from that leaves all of it to
 * the lanes. Nothing is counted of it: if it ends its process, the broker delivers it again, and what is delivered again goes through the lanes, where
 * the guilty row is found.
 */
export class PageRunner {
  private readonly lanes: LaneRunner;

  constructor(
    private readonly options: RunnerOptions,
    private readonly key: InboxKey,
  ) {
    this.lanes = new LaneRunner(options, key);
  }

  /** Whether pages may run now: not beside a row that may end the process, or its end would count against that one. */
  get open(): boolean {
    const { projector, handleAll, prepare } = this.options.handler;
    return projector === true && handleAll !== undefined && prepare === undefined && processGate.open;
  }

  /** Stores the arrivals, and handles them at once if it can. Throws what storing throws. */
  async store(arrivals: readonly Arrival[]): Promise<Stored> {
    const { options, key } = this;
    processGate.join();
    try {
      let messages: Incoming[] = [];
      const taken = await inTransaction(options, `${options.service}.${options.durable}.store`, (tx) =>
        takeArrivals(tx, key, arrivals, {
          atLeast: BACKLOG,
          run: async (rows) => {
            messages = rows.map((row) => this.lanes.messageOf({ ...row, message_id: row.messageId, failures: 0 })).sort(byLane);
            await options.beforeHandle?.(tx);
            await handleTogether(tx, options.handler, this.lanes, messages);
            await lockLanes(tx, key, options, []);
          },
          failed: (err) => this.failed(arrivals, err),
        }),
      );
      if (taken.ran.length > 0) for (const message of messages) this.lanes.afterCommit(message);
      return taken;
    } finally {
      processGate.leave();
    }
  }

  private failed(arrivals: readonly Arrival[], err: unknown): void {
    this.options.logger.info(
      { event: 'page_split', consumer: this.key.consumer, rows: arrivals.length, err },
      'A page failed; its rows go through their lanes',
    );
  }
}
