import { inTransaction } from '@tidegate/database/transaction';
import { byLane, handleTogether } from './batch-runner.js';
import { takeArrivals } from './inbox-in-order.js';
import { type InboxKey } from './inbox-key.js';
import { lockLanes } from './inbox-lanes.js';
import { type Arrival, type Stored, storeArrivals } from './inbox-store.js';
import { beginPage } from './inbox-watermark.js';
import { type Incoming } from './incoming.js';
import { LaneRunner, type RunnerOptions } from './lane-runner.js';
import { processGate } from './lane-workers.js';

/** Fewer messages than these go through their lanes, as they do in everyday traffic. */
const BACKLOG = 16;

/**
 * Stores what arrives. Of a projector with `handleAll`, a page that came in order is stored, handled and marked done in one transaction; whatever keeps it from that leaves it to the
 * lanes. Nothing is counted of its rows, but that the page was begun is written down before: if it ended its process, it goes through the lanes the next time,
 * where the guilty row is found.
 */
export class PageRunner {
  private readonly lanes: LaneRunner;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly options: RunnerOptions,
    private readonly key: InboxKey,
  ) {
    this.lanes = new LaneRunner(options, key);
  }

  /** One page at a time. Throws what storing throws. */
  store(arrivals: readonly Arrival[]): Promise<Stored> {
    const stored = this.turn.then(() => this.storeNow(arrivals));
    this.turn = stored.catch(() => undefined);
    return stored;
  }

  private async storeNow(arrivals: readonly Arrival[]): Promise<Stored> {
    // Not beside a row that may end the process: its end would count against that one.
    if (!this.isProjector || arrivals.length < BACKLOG || !processGate.open) return this.storeForLanes(arrivals);
    processGate.join();
    try {
      return await this.storePage(arrivals);
    } finally {
      processGate.leave();
    }
  }

  private storeForLanes(arrivals: readonly Arrival[]): Promise<Stored> {
    const { handler } = this.options;
    return this.inTransaction((tx) => storeArrivals(tx, this.key, arrivals, (subject) => handler.passesBy?.(subject) === true));
  }

  private async storePage(arrivals: readonly Arrival[]): Promise<Stored> {
    const { options, key } = this;
    const last = Math.max(...arrivals.map((one) => one.position));
    if (!(await beginPage(options.db, key, last))) return this.storeForLanes(arrivals);
    let messages: Incoming[] = [];
    const taken = await this.inTransaction((tx) =>
      takeArrivals(tx, key, arrivals, {
        atLeast: BACKLOG,
        run: async (rows) => {
          messages = rows.map((row) => this.lanes.messageOf({ ...row, message_id: row.messageId, failures: 0 })).sort(byLane);
          await options.beforeHandle?.(tx);
          await handleTogether(tx, options.handler, this.lanes, messages);
          await lockLanes(tx, key, options, []);
        },
        failed: (err) =>
          options.logger.info(
            { event: 'page_split', consumer: key.consumer, rows: arrivals.length, err },
            'A page failed; its rows go through their lanes',
          ),
      }),
    );
    if (taken.ran.length > 0) for (const message of messages) this.lanes.afterCommit(message);
    return taken;
  }

  private get isProjector(): boolean {
    const { projector, handleAll, prepare } = this.options.handler;
    return projector === true && handleAll !== undefined && prepare === undefined;
  }

  private inTransaction<T>(work: Parameters<typeof inTransaction<unknown, T>>[2]): Promise<T> {
    return inTransaction(this.options, `${this.options.service}.${this.options.durable}.store`, work);
  }
}
