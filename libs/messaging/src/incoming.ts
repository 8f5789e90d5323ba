import { type Envelope } from '@tidegate/contracts/envelope';
import { type StreamName } from '@tidegate/contracts/subjects';
import { type Transaction } from 'kysely';

/** One message on its way to a handler. */
export interface Incoming<T = unknown> {
  consumer: string;
  generation: number;
  messageId: string;
  stream: StreamName;
  epoch: number;
  position: number;
  subject: string;
  /** The ordering key: messages of one aggregate are handled one after another, in order of position. */
  aggregate: string;
  /** From 1. */
  attempt: number;
  envelope: Envelope<T>;
}

/** No retry can help: the row becomes `dead` at once and holds its aggregate until it is replayed or discarded. */
export class PermanentFailure extends Error {
  override name = 'PermanentFailure';
}

/** Try again later, after `retryAfterMs` if given. Every other error is taken for transient too. */
export class TransientFailure extends Error {
  override name = 'TransientFailure';
  constructor(
    message: string,
    readonly retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What a service does with the messages of one durable. Whatever is given a transaction ends only when nothing of it is under way any more, also when it fails. */
export interface Handler {
  /** Network allowed, no transaction open. Its result is handed to `handle`. May run more often than `handle` commits. */
  prepare?(message: Incoming): Promise<unknown>;
  /** Runs in the transaction that marks the message done: its table writes take effect exactly once. Table access only. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
  handle(tx: Transaction<any>, message: Incoming, prepared: unknown): Promise<void>;
  /** Messages of these subjects have no effect here: they are stored as done and keep no other waiting, nor wait for one. */
  passesBy?(subject: string): boolean;
  /** After the commit, best effort: wake a loop. */
  afterCommit?(message: Incoming): void;
  /**
   * A replay of a message that took effect here already: `pass` (the default) leaves it at that, so that no mail goes out twice; `again` hands it over, for
   * joins and projections that come out the same however often they hear it. A replay of one that is dead takes its place, and is handled either way.
   */
  replays?: 'pass' | 'again';
  /** In the transaction that sets the message aside as dead: for telling others that its effect is missing. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
  gaveUp?(tx: Transaction<any>, message: Incoming, reason: string): Promise<void>;
  /** A pure projector without `prepare`: messages of many aggregates may share one transaction. */
  projector?: boolean;
  /**
   * Of a projector: what `handle` does with each of these, in as few statements as it takes. They come in order of position of each aggregate. Rows that cannot be handled
   * together are handed to `handle`.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
  handleAll?(tx: Transaction<any>, messages: readonly Incoming[]): Promise<void>;
  /**
   * Of a handler that is no projector: what `handle` does with those of these that need nothing prepared, in as few statements as it takes, in one transaction. Each is of another aggregate.
   * Those that it answers were left out: they are handed to `prepare` and `handle`, and so are all of them when this throws.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
  handleSome?(tx: Transaction<any>, messages: readonly Incoming[], inContextOf: InContextOf): Promise<readonly Incoming[]>;
}

/** Runs work in the trace and with the correlation id of a message, as `handle` is. */
export type InContextOf = <T>(message: Incoming, work: () => T) => T;
