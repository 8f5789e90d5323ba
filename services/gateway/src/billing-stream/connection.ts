import type { Writable } from 'node:stream';
import type { Place } from '@tidegate/messaging/position-header';
import type { Caller } from '../api-key/authenticator.js';
import { heartbeatFrame, type HeartbeatForm, helloFrame, type ResetReason, resetFrame } from './event-frame.js';
import type { EventLog } from './event-log.js';
import { isAhead, startOf } from './feed.decide.js';
import type { Older, OlderEvents } from './older-events.js';

/** `client`: it went away. `age`: as old as a connection may be. `slow`: it did not take what was sent. `key`: its API key ended. `room`: another tenant got its place. `shutdown`: this process ends. */
export const CLOSE_REASONS = ['client', 'age', 'slow', 'key', 'room', 'shutdown'] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

/** What a client asks for. */
export interface Follow {
  caller: Caller;
  /** Its Last-Event-ID; null: from now on. */
  lastSeen: Place | null;
  heartbeats: HeartbeatForm;
}

/** All in milliseconds. */
export interface ConnectionLimits {
  heartbeatMs: number;
  /** A client that has not taken what was sent for so long is cut off. */
  stallMs: number;
  maxAgeMs: number;
}

export interface ConnectionDeps {
  log: EventLog;
  older: OlderEvents;
  limits: ConnectionLimits;
  /** Monotonic, in milliseconds. */
  now(): number;
  /** By the same clock: when the last question for payments' head began that has brought everything up to there. */
  headReadAt(): number;
  sent(count: number): void;
  wasReset(connection: StreamConnection, reason: ResetReason): void;
  closed(connection: StreamConnection, reason: CloseReason): void;
  /** A connection cannot go on before payments has been asked again; with what went wrong, if anything did. */
  waits(error?: unknown): void;
}

/** Written at once at most, so that what waits for a client stays small. */
const BATCH_BYTES = 64 * 1024;
const AGAIN_MS = 1_000;

/**
 * One client: a cursor in the log. It is written to only while it takes what it gets, so what waits for it is one batch at most, or one page of the outbox
 * when it is behind what this process has in memory.
 */
export class StreamConnection {
  readonly openedAt: number;
  sent = 0;
  #place: Place;
  #wroteAt: number;
  /** Since when the client has not taken what was written; null while it does. */
  #stalledAt: number | null = null;
  #readingOlder = false;
  #notBefore = 0;
  #closed = false;
  readonly #endsAt: number;

  /** The log must have a standing. */
  constructor(
    private readonly out: Writable,
    readonly follow: Follow,
    private readonly deps: ConnectionDeps,
  ) {
    const { limits, log, now } = deps;
    if (!log.standing) throw new Error('Bug: a connection without a standing');
    this.openedAt = this.#wroteAt = now();
    // Clients that came together should not come back together.
    this.#endsAt = this.openedAt + limits.maxAgeMs * (0.8 + 0.2 * Math.random());
    const { at, reset } = startOf(follow.lastSeen, log.standing);
    this.#place = at;
    out.on('drain', () => this.#drained());
    out.on('close', () => this.close('client'));
    out.on('error', () => undefined);
    this.#write([helloFrame(reset ? null : at, 1_000 + Math.floor(2_000 * Math.random()))]);
    if (reset) this.#reset(reset);
    if (isAhead(at, log.standing)) deps.waits();
    this.pump();
  }

  /** The id of the last event that it was given, or passed over. */
  get place(): Readonly<Place> {
    return this.#place;
  }

  /** Writes what there is, as far as the client takes it. */
  pump(): void {
    const { log } = this.deps;
    while (!this.#closed && this.#stalledAt === null && !this.#readingOlder && log.standing) {
      if (isAhead(this.#place, log.standing)) return this.#wait();
      if (this.#place.epoch !== log.standing.epoch) return this.#reset('epoch');
      if (this.#place.position === log.standing.position) return;
      if (!log.holds(this.#place.position + 1)) return this.#readOlder();
      this.#writeBatch(log.standing.position);
    }
  }

  /** Called about each second. */
  tick(): void {
    const { now, limits } = this.deps;
    if (this.#closed) return;
    if (this.#stalledAt !== null && now() - this.#stalledAt >= limits.stallMs) return this.close('slow');
    if (now() >= this.#endsAt) return this.close('age');
    if (this.#stalledAt === null && now() - this.#wroteAt >= limits.heartbeatMs) this.#heartbeat();
    this.pump();
  }

  close(reason: CloseReason): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#resume();
    if (reason === 'slow' || this.#stalledAt !== null) this.out.destroy();
    else if (reason !== 'client') this.out.end();
    this.deps.closed(this, reason);
  }

  /** Another replica may know more than this one, but none more than payments: such an id is one of another installation, or of what a restore has lost. */
  #wait(): void {
    if (this.deps.headReadAt() > this.openedAt) this.#reset('epoch');
  }

  #writeBatch(through: number): void {
    const { log } = this.deps;
    const frames: Buffer[] = [];
    let bytes = 0;
    let { position } = this.#place;
    while (position < through && bytes < BATCH_BYTES) {
      position += 1;
      const event = log.at(position);
      if (event?.tenant !== this.follow.caller.tenant) continue;
      frames.push(event.frame);
      bytes += event.frame.length;
    }
    this.#advance(position, frames);
  }

  /** The client has been told of everything up to this position. */
  #advance(position: number, frames: readonly Buffer[]): void {
    this.#place = { epoch: this.#place.epoch, position };
    if (frames.length === 0) return;
    this.sent += frames.length;
    this.deps.sent(frames.length);
    this.#write(frames);
  }

  #write(frames: readonly (Buffer | string)[]): void {
    this.#wroteAt = this.deps.now();
    const [only] = frames;
    const takes = this.out.write(frames.length === 1 ? only : Buffer.concat(frames as Buffer[]));
    if (!takes) this.#stalledAt ??= this.deps.now();
  }

  #heartbeat(): void {
    this.#write([heartbeatFrame(this.#place, this.follow.heartbeats)]);
  }

  #drained(): void {
    this.#stalledAt = null;
    this.#resume();
    this.pump();
  }

  #reset(reason: ResetReason): void {
    const { standing } = this.deps.log;
    if (!standing) return;
    this.#place = { epoch: standing.epoch, position: standing.position };
    this.deps.wasReset(this, reason);
    this.#write([resetFrame(this.#place, reason)]);
  }

  #readOlder(): void {
    const { older, now, waits } = this.deps;
    if (now() < this.#notBefore) return;
    this.#readingOlder = true;
    older
      .read(this.#place, { tenant: this.follow.caller.tenant, gone: () => this.#closed, use: (page) => this.#use(page) })
      .catch((error: unknown) => {
        this.#notBefore = now() + AGAIN_MS;
        waits(error);
      })
      .finally(() => {
        this.#readingOlder = false;
        this.pump();
      });
  }

  async #use(page: Older): Promise<void> {
    if (this.#closed) return;
    if (page.kind === 'below_floor') return this.#reset('below_floor');
    if (page.kind === 'other_epoch' || page.through === this.#place.position) {
      this.#notBefore = this.deps.now() + AGAIN_MS;
      return this.deps.waits();
    }
    this.#advance(page.through, page.frames);
    await this.#taken();
  }

  #resume: () => void = () => undefined;

  /** Resolves when the client has taken what was written, or is gone. */
  async #taken(): Promise<void> {
    while (this.#stalledAt !== null && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
  }
}
