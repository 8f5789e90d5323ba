import { randomUUID } from 'node:crypto';
import { eventReplayId } from '@tidegate/contracts/ops/event-replays';
import { type Db } from '@tidegate/database/database';
import { type Failpoints } from '@tidegate/database/failpoints';
import { recordOperatorAction } from '@tidegate/database/operator-action';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Broker } from '../broker.js';
import { PermanentFailure } from '../incoming.js';
import { Beside, dropBeside, type Progress } from './beside.js';
import { type Differences } from './differences.js';
import { projectionOf, type Projection, type Replayable, type Tx } from './projection.js';
import {
  claimReplay,
  countBeginning,
  type FinalState,
  finishReplay,
  type Hold,
  holdReplay,
  leaveReady,
  letGo,
  moveReplay,
  type NewReplay,
  recordDifferences,
  type ReplayRow,
  requestReplay,
  StopWanted,
  Superseded,
} from './replay.store.js';
import { RebuildIncomplete } from './source-replay.js';

export interface ReplayParts {
  db: Db;
  broker: Broker;
  logger: Logger;
  failpoints: Failpoints;
  clock: { now(): Date };
  service: string;
  /** Unique per process. */
  instance: string;
  replayable: Replayable;
}

export interface RunControl {
  /** The process ends: what is under way is left to another one. */
  stopping: AbortSignal;
  /** Something was done. */
  alive(): void;
}

/** Whatever made earlier attempts end (mostly their process), it will do so again. */
const MOST_BEGINNINGS = 5;
const READY_FOR_MS = 3_600_000;
const RENEW_MS = 1_000;

class Abandoned extends Error {
  override name = 'Abandoned';
}

/** What a replay did. */
export interface Done {
  sources: Awaited<ReturnType<Beside['sourcesDone']>>;
  differences: Differences;
}

/** A replay that this process has compared and left `ready`. */
interface Built {
  id: string;
  beside: Beside;
  hold: Hold;
}

/**
 * Works on the replays that operators want, one at a time. What one attempt built only its own process goes on with; after its end another one drops it and begins
 * again, because it may run other code.
 */
export class ReplayRunner {
  private built: Built | null = null;

  constructor(private readonly parts: ReplayParts) {}

  /** Brings one replay to its next rest: ready, or its end. Answers how many there were to work on. */
  async runOnce(control: RunControl): Promise<number> {
    const { db, instance, clock } = this.parts;
    const holder = randomUUID();
    const row = await claimReplay(db, { holder, instance, now: clock.now() });
    if (!row) return 0;
    await this.holding({ id: row.id, holder }, control, (hold) => this.toItsNextRest(row, hold, control));
    return 1;
  }

  /** Writes a wish down and works on it here and now. Throws what made it fail; nothing was changed then. */
  async runNow(wish: NewReplay, control: RunControl): Promise<Done> {
    const { db, instance, clock, replayable } = this.parts;
    const projection = projectionOf(replayable, wish.projection);
    if (!projection) throw new Error(`Bug: ${wish.projection} is no projection`);
    const holder = randomUUID();
    const row = await db.transaction().execute(async (tx) => {
      const other = await requestReplay(tx, wish);
      if (other !== null) throw new PermanentFailure(`A replay of the same tables is under way: ${other}`);
      return claimReplay(tx, { holder, instance, now: clock.now(), id: wish.id });
    });
    if (!row) throw new Error(`Bug: ${wish.id} cannot be taken up`);
    return this.holding({ id: row.id, holder }, control, async (hold) => {
      try {
        return await this.work(row, hold, projection, control);
      } catch (error) {
        const failure = error instanceof Error ? error.message : String(error);
        await this.end(row, hold, projection, error instanceof StopWanted ? { state: 'stopped' } : { state: 'failed', failure });
        throw error;
      }
    });
  }

  private async holding<T>(hold: Hold, control: RunControl, work: (hold: Hold) => Promise<T>): Promise<T> {
    let renewed: Promise<void> | null = null;
    const renew = () => {
      control.alive();
      renewed ??= holdReplay(this.parts.db, hold)
        .catch(() => undefined)
        .finally(() => (renewed = null));
    };
    const renewal = setInterval(renew, RENEW_MS);
    try {
      return await work(hold);
    } finally {
      clearInterval(renewal);
      await renewed;
    }
  }

  private async toItsNextRest(row: ReplayRow, hold: Hold, control: RunControl): Promise<void> {
    const projection = projectionOf(this.parts.replayable, row.projection);
    if (!projection)
      return this.end(row, hold, null, { state: 'failed', failure: `nothing is known of a projection of ${row.projection} any more` });
    if (row.state === 'stopping') return this.end(row, hold, projection, { state: 'stopped' });
    if (row.state === 'ready') return this.end(row, hold, projection, { state: 'expired' });
    if (row.state === 'swapped') return this.end(row, hold, projection, { state: 'done' });
    try {
      await this.work(row, hold, projection, control);
    } catch (error) {
      await this.ended(error, row, hold, projection);
    }
  }

  private async work(row: ReplayRow, hold: Hold, projection: Projection, control: RunControl): Promise<Done> {
    const { db, logger, instance, clock } = this.parts;
    const before = row.state === 'swapping' && this.built?.id === row.id ? this.built : null;
    this.built = null;
    if (before) before.hold.holder = hold.holder;
    const beside = before?.beside ?? (await this.build(row, hold, projection, control));
    // What came while it was ready, or else the swap would handle all of it while nobody may write.
    if (before) await beside.replay();
    if (row.swap_actor !== null) {
      await db.transaction().execute((tx) => moveReplay(tx, hold, 'swapping'));
      const differences = await beside.swap((tx, found) => this.recordSwap(tx, row, hold, found));
      this.say(
        'event_replay_swapped',
        row,
        { differences: differences.counts },
        'A projection was replaced where its events say otherwise',
      );
      const sources = await beside.sourcesDone();
      await this.end(row, hold, projection, { state: 'done' });
      return { sources, differences };
    }
    const differences = await beside.compare();
    await db.transaction().execute(async (tx) => {
      await recordDifferences(tx, row.id, differences);
      await leaveReady(tx, hold, { instance, until: new Date(clock.now().getTime() + READY_FOR_MS) });
    });
    this.built = { id: row.id, beside, hold };
    logger.info(
      { event: 'event_replay_ready', ...namesOf(row), differences: differences.counts },
      'A projection was replayed and compared; nothing was changed',
    );
    return { sources: await beside.sourcesDone(), differences };
  }

  private async build(row: ReplayRow, hold: Hold, projection: Projection, control: RunControl): Promise<Beside> {
    const { db } = this.parts;
    const begun = await db.transaction().execute((tx) => countBeginning(tx, hold));
    if (begun > MOST_BEGINNINGS) throw new PermanentFailure(`${MOST_BEGINNINGS} attempts came to no end`);
    this.say('event_replay_started', row, { attempt: begun }, 'A projection is replayed beside the live one');
    const inHand = async (tx: Tx, progress: Progress) => {
      if (control.stopping.aborted) throw new Abandoned();
      control.alive();
      await holdReplay(tx, hold, progress);
    };
    const beside = await Beside.begin({ ...this.parts, ...fromOf(row), hold: inHand }, projection);
    await beside.read();
    await db.transaction().execute((tx) => moveReplay(tx, hold, 'replaying'));
    await beside.replay();
    return beside;
  }

  /** In the transaction of the swap: who wanted it, what it did, and that it is done. */
  private async recordSwap(tx: Tx, row: ReplayRow, hold: Hold, differences: Differences): Promise<void> {
    await recordDifferences(tx, row.id, differences);
    const details = { replay: eventReplayId(row.consumer, row.id), ...differences.counts };
    const action = {
      actor: row.swap_actor ?? row.actor,
      action: 'event_replay.swap',
      target: row.consumer,
      reason: row.swap_reason ?? row.reason,
    };
    await recordOperatorAction(tx, { ...action, details }, this.parts.clock.now());
    await moveReplay(tx, hold, 'swapped');
  }

  private async ended(error: unknown, row: ReplayRow, hold: Hold, projection: Projection): Promise<void> {
    if (error instanceof StopWanted) return this.end(row, hold, projection, { state: 'stopped' });
    if (error instanceof PermanentFailure || error instanceof RebuildIncomplete)
      return this.end(row, hold, projection, { state: 'failed', failure: error.message });
    if (error instanceof Superseded) return this.say('event_replay_superseded', row, {}, 'Another process works on a replay');
    await letGo(this.parts.db, hold).catch(() => undefined);
    if (!(error instanceof Abandoned)) throw error;
  }

  private async end(
    row: ReplayRow,
    hold: Hold,
    projection: Projection | null,
    end: { state: FinalState; failure?: string },
  ): Promise<void> {
    const { db, clock } = this.parts;
    if (this.built?.id === row.id) this.built = null;
    // In one transaction: the tables and the generation of whoever took it up meanwhile have the same names.
    await db.transaction().execute(async (tx) => {
      await holdReplay(tx, hold).catch((error: unknown) => {
        if (!(error instanceof StopWanted)) throw error;
      });
      if (projection) await dropBeside(tx, projection);
      await finishReplay(tx, hold, { ...end, at: clock.now() });
    });
    const fields = end.failure === undefined ? {} : { failure: end.failure };
    this.say(`event_replay_${end.state}`, row, fields, `A replay is over: ${end.state}`);
  }

  private say(event: string, row: ReplayRow, fields: object, text: string): void {
    this.parts.logger.info({ event, ...namesOf(row), ...fields }, text);
  }
}

const namesOf = (row: ReplayRow) => ({ replay: eventReplayId(row.consumer, row.id), consumer: row.consumer });

function fromOf({ consumer, from_time, from_position }: ReplayRow): { from?: { time: Date } | { consumer: string; position: number } } {
  if (from_time) return { from: { time: from_time } };
  return from_position === null ? {} : { from: { consumer, position: from_position } };
}
