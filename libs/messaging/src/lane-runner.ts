import { setTimeout as delay } from 'node:timers/promises';
import { type Envelope } from '@tidegate/contracts/envelope';
import { type StreamName } from '@tidegate/contracts/subjects';
import { type Db } from '@tidegate/database/database';
import { type Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { withCorrelation } from '@tidegate/telemetry/correlation';
import { type Logger } from '@tidegate/telemetry/logger';
import { inSpan } from '@tidegate/telemetry/tracing';
import { type Transaction } from 'kysely';
import { type Handler, type Incoming, PermanentFailure } from './incoming.js';
import { completeRow, LaneLost, type LaneRow, lockLanes, recordFailure } from './inbox-lanes.js';
import { type InboxKey } from './inbox-key.js';
import { effectiveBefore } from './inbox-replays.js';
import { type RetryPolicy, verdictOn } from './retry-policy.js';

export interface RunnerOptions extends RetryPolicy {
  db: Db;
  failpoints: Failpoints;
  logger: Logger;
  clock: { now(): Date };
  service: string;
  durable: string;
  stream: StreamName;
  handler: Handler;
  /** Unique per process and consumer. */
  holder: string;
  laneLeaseMs: number;
  /** False for a generation that is being rebuilt. */
  live: boolean;
  /** Runs in each handler's transaction before the handler. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
  beforeHandle?: (tx: Transaction<any>) => Promise<void>;
}

/** Attempts that began and never came to an end after which a row is taken to kill its process; with the pauses between them some minutes. */
const DEADLY_STARTS = 8;
const RECORD_RETRY_MS = 250;
const RECORD_ATTEMPTS = 40;
/** Failures of `gaveUp` after which a message is set aside without it. */
const TELL_ATTEMPTS = 3;

/** Runs the rows of leased lanes, one lane at a time in order, each in the transaction that marks it done. */
export class LaneRunner {
  constructor(
    private readonly options: RunnerOptions,
    private readonly key: InboxKey,
  ) {}

  /**
   * Runs the row, and then those behind it while `further` says so, which is `goOn` by default: whether the process goes on. Returns when the lane is free again, with the
   * retry it waits for, if any.
   */
  async runLane(head: LaneRow, goOn: () => boolean, further = goOn): Promise<Date | null> {
    const turn = { goOn, further };
    for (let row: LaneRow | null = head; row !== null;) {
      const outcome = await this.guarded(row, turn);
      if (outcome.kind === 'failed') return outcome.dueAt;
      row = outcome.next;
    }
    return null;
  }

  private async guarded(row: LaneRow, turn: Turn): Promise<Outcome> {
    const lost = row.started - row.finished - 1;
    if (lost >= DEADLY_STARTS) return this.failed(row, new PermanentFailure(`${lost} attempts ended with their process`), turn);
    return this.attempt(row, turn);
  }

  private async attempt(row: LaneRow, turn: Turn): Promise<Outcome> {
    try {
      const message = this.messageOf(row);
      if ((await this.passed([row])).size > 0) return await this.pass(row, turn);
      return await this.traced(message, async () => {
        const prepared = await this.options.handler.prepare?.(message);
        const next = await inTransaction(this.options, `${this.options.service}.${this.options.durable}.handle`, async (tx) => {
          await this.options.beforeHandle?.(tx);
          await this.options.handler.handle(tx, message, prepared);
          await lockLanes(tx, this.key, this.options, [row]);
          return completeRow(tx, this.key, row, { goOn: turn.further(), ttlMs: this.options.laneLeaseMs });
        });
        this.afterCommit(message);
        return { kind: 'done', next };
      });
    } catch (error) {
      return this.failed(row, error, turn);
    }
  }

  /** Which of these rows are replays that the handler need not see: their message ids. */
  async passed(rows: readonly LaneRow[]): Promise<ReadonlySet<string>> {
    return this.options.handler.replays === 'again' ? new Set() : effectiveBefore(this.options.db, this.key, rows);
  }

  private async pass(row: LaneRow, { further }: Turn): Promise<Outcome> {
    const next = await this.options.db.transaction().execute(async (tx) => {
      await lockLanes(tx, this.key, this.options, [row]);
      return completeRow(tx, this.key, row, { goOn: further(), ttlMs: this.options.laneLeaseMs });
    });
    this.options.logger.debug(
      { event: 'replay_passed', consumer: this.key.consumer, position: row.position, replay_of: row.replay_of },
      'A replay of a message that took effect here before was passed',
    );
    return { kind: 'done', next };
  }

  /** The context every handler runs in: the publisher's trace and correlation id. */
  traced<T>(message: Incoming, work: () => Promise<T>): Promise<T> {
    const { envelope } = message;
    const attributes = {
      'messaging.system': 'nats',
      'messaging.operation.name': 'process',
      'messaging.destination.name': message.subject,
      'messaging.message.id': message.messageId,
      'messaging.consumer.group.name': message.consumer,
      'tidegate.position': message.position,
      'tidegate.attempt': message.attempt,
    };
    return withCorrelation(envelope.correlation_id, () =>
      inSpan(`process ${message.subject}`, { kind: 'consumer', parent: envelope.traceparent, attributes }, work),
    );
  }

  messageOf(row: Omit<LaneRow, 'started' | 'finished' | 'first_failed_at' | 'lease' | 'replay_of'>): Incoming {
    return {
      consumer: this.key.consumer,
      generation: this.key.generation,
      messageId: row.message_id,
      stream: this.options.stream,
      epoch: row.epoch,
      position: row.position,
      subject: row.subject,
      aggregate: row.aggregate,
      attempt: row.failures + 1,
      envelope: parse(row),
    };
  }

  afterCommit(message: Incoming): void {
    try {
      this.options.handler.afterCommit?.(message);
    } catch (err) {
      this.options.logger.warn(
        { event: 'after_commit_failed', consumer: this.key.consumer, err },
        'A hook after the commit failed; the message is done',
      );
    }
  }

  /**
   * Until the failure is written down the lane stays ours, however long the database is away: an attempt that began and has no end on record would count as one
   * that killed its process. On stop only for a while.
   */
  private async failed(row: LaneRow, error: unknown, { goOn }: Turn): Promise<Outcome> {
    const { db, clock, logger } = this.options;
    if (error instanceof LaneLost) return { kind: 'failed', dueAt: null };
    const now = clock.now();
    const verdict = verdictOn(error, { failures: row.failures, firstFailedAt: row.first_failed_at }, now, this.options, Math.random());
    // PostgreSQL keeps no NUL in a text.
    const reason = (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).replaceAll('\u0000', '');
    const log = {
      consumer: this.key.consumer,
      position: row.position,
      subject: row.subject,
      aggregate: row.aggregate,
      attempt: row.failures + 1,
      err: error,
    };
    if (verdict.kind === 'dead') logger.error({ event: 'message_dead', ...log }, 'A message was set aside as dead; its aggregate waits');
    else logger.warn({ event: 'message_retried', ...log, due_at: verdict.dueAt.toISOString() }, 'A message failed and is tried again');
    let untold = 0;
    for (let attempt = 1; attempt <= RECORD_ATTEMPTS || goOn(); attempt += 1) {
      try {
        const state = await db.transaction().execute(async (tx) => {
          await lockLanes(tx, this.key, this.options, [row]);
          const recorded = await recordFailure(tx, this.key, row, { verdict, reason, now });
          if (recorded === 'dead' && untold < TELL_ATTEMPTS) await this.tell(tx, row, reason, () => (untold += 1));
          return recorded;
        });
        // What stood behind a discarded row may run at once.
        if (state === 'discarded') return { kind: 'failed', dueAt: now };
        break;
      } catch (err) {
        if (err instanceof LaneLost) break;
        await delay(RECORD_RETRY_MS);
      }
    }
    return { kind: 'failed', dueAt: verdict.kind === 'retry' ? verdict.dueAt : null };
  }

  /** A message that cannot even be read is told of by nobody. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
  private async tell(tx: Transaction<any>, row: LaneRow, reason: string, failed: () => void): Promise<void> {
    try {
      await this.options.handler.gaveUp?.(tx, this.messageOf(row), reason);
    } catch (err) {
      if (err instanceof PermanentFailure) return;
      failed();
      this.options.logger.warn({ event: 'gave_up_untold', consumer: this.key.consumer, err }, 'Nobody could be told of a dead message');
      throw err;
    }
  }
}

/** Whether the process goes on, and whether the lane does. */
interface Turn {
  goOn(): boolean;
  further(): boolean;
}
type Outcome = { kind: 'done'; next: LaneRow | null } | { kind: 'failed'; dueAt: Date | null };

function parse({ bytes }: Pick<LaneRow, 'bytes'>): Envelope {
  const read = json(bytes);
  if (typeof read !== 'object' || read === null) throw new PermanentFailure('the message is no envelope');
  return read as Envelope;
}

function json(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new PermanentFailure('the message is not JSON', { cause });
  }
}
