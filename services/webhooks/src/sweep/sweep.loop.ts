import { inTransaction } from '@tidegate/database/transaction';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Partitions } from '../stripe-event/partitions.js';
import { type Found, type Pass, readWindow, type WindowParts } from './read-window.js';
import { advanceCursor, type Cursor, readCursor, rewindCursor } from './sweep.store.js';
import { CHUNK_SECONDS, listedSince, sweepWindows, unlistedSeconds } from './window.decide.js';

export interface SweepSettings {
  everySeconds: number;
  overlapSeconds: number;
  /** Younger events are left to their delivery. */
  settleSeconds: number;
  /** Being so far behind is said aloud. */
  alarmSeconds: number;
}

export interface SweepParts extends WindowParts {
  logger: Logger;
  partitions: Pick<Partitions, 'ensureFor' | 'ensureAhead'>;
  settings: SweepSettings;
}

const SAY_AGAIN_MS = 3_600_000;

/** Reads Stripe's list of events, so that a delivery that never comes costs one interval. The leader runs it. */
export class Sweep {
  private saidAt = -Infinity;

  constructor(private readonly parts: SweepParts) {}

  /** Sweeps if one is due; the number of events that were not stored. Throws SweepIncomplete when Stripe does not answer; the cursor stays where it was then. */
  async runOnce({ epoch, ...pass }: { epoch: number | null } & Pass): Promise<number> {
    const { settings, clock } = this.parts;
    const now = clock.now();
    const cursor = await this.cursor(now, epoch ?? 0);
    this.sayHowFarBehind(cursor, now);
    if (now.getTime() - cursor.sweptAt.getTime() < settings.everySeconds * 1000) return 0;
    await this.parts.partitions.ensureAhead(now);
    const until = new Date(now.getTime() - settings.settleSeconds * 1000);
    const { sweptUntil: before } = cursor;
    const windows = sweepWindows({ sweptUntil: before, now: until, overlapSeconds: settings.overlapSeconds, chunkSeconds: CHUNK_SECONDS });
    let unlisted = unlistedSeconds(before, until);
    const found: Found = { events: 0, missed: 0 };
    for (const window of windows) {
      const { events, missed } = await readWindow(this.parts, window, pass);
      found.events += events;
      found.missed += missed;
      const last = window === windows.at(-1);
      const sweptUntil = last ? until : new Date(window.lt * 1000);
      const advanced = await inTransaction(this.parts, 'webhooks.sweep.advance', (tx) =>
        advanceCursor(tx, { sweptUntil, sweptAt: last ? now : cursor.sweptAt, unlistedSeconds: unlisted }, epoch ?? 0),
      );
      if (!advanced) break;
      if (unlisted > 0) this.sayUnlisted(before, unlisted);
      unlisted = 0;
    }
    this.parts.logger.info(
      { event: 'webhook_sweep_completed', windows: windows.length, found: found.events, missed: found.missed },
      "Stripe's list of events was read",
    );
    return found.events;
  }

  /**
   * A cursor further ahead than sweeps overlap was written by a clock that was wrong. Nobody knows how far the list had really been read, and what is delivered to
   * nobody until that time comes would never be: all that Stripe lists is read once more.
   */
  private async cursor(now: Date, epoch: number): Promise<Cursor> {
    const { db, settings, logger } = this.parts;
    const found = await readCursor(db, now);
    const above = new Date(now.getTime() + settings.overlapSeconds * 1000);
    if (found.sweptUntil <= above || !(await rewindCursor(db, { above, to: listedSince(now) }, epoch))) return found;
    logger.error(
      { event: 'webhook_sweep_ahead', swept_until: found.sweptUntil, now },
      "Stripe's list of events was noted as read up to a time that has not come: a clock is or was wrong, and the list is read once more",
    );
    return readCursor(db, now);
  }

  private sayHowFarBehind({ sweptUntil }: Cursor, now: Date): void {
    const behind = Math.floor((now.getTime() - sweptUntil.getTime()) / 1000);
    if (behind <= this.parts.settings.alarmSeconds || performance.now() - this.saidAt < SAY_AGAIN_MS) return;
    this.saidAt = performance.now();
    this.parts.logger.error(
      { event: 'webhook_sweep_overdue', behind_seconds: behind, swept_until: sweptUntil },
      "Stripe's list of events was not read for long; Stripe keeps it for 30 days",
    );
  }

  private sayUnlisted(from: Date, seconds: number): void {
    this.parts.logger.error(
      { event: 'webhook_events_unlisted', from, until: new Date(from.getTime() + seconds * 1000) },
      'Events of this time were not read before Stripe stopped listing them: what was not delivered is found by reconciliation only',
    );
  }
}
