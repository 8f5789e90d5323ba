import { type StreamName } from '@tidegate/contracts/subjects';
import { type RawBuilder, type Transaction } from 'kysely';
import { type Handler } from '../incoming.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's transaction
export type Tx = Transaction<any>;

/** One durable that fills the tables, and the pure projector that does it: table access only, and only to the tables of its projection. */
export interface ProjectionSource {
  durable: string;
  stream: StreamName;
  handler: Pick<Handler, 'handle' | 'handleAll' | 'replays'>;
}

/** How far a service's own events were read: everything up to `after`, except for the positions that nobody could see yet. */
export interface EventCursor {
  after: number;
  gaps: readonly number[];
}

/** Tables that follow from the service's own events. */
export interface OwnEvents {
  /**
   * Projects the next events, in order, into the tables as this transaction names them; answers where it got to, and how many there were. With `touched`, a
   * table of aggregates, only those of these.
   */
  page(tx: Tx, cursor: EventCursor, touched: RawBuilder<unknown> | null): Promise<{ cursor: EventCursor; read: number }>;
}

/** Columns of a table that is a record otherwise, which follow from the projection's tables. */
export interface DerivedColumns {
  table: string;
  key: readonly string[];
  columns: readonly string[];
  /** The projected table that they follow from: each of them from all rows that agree in these columns. */
  from: { table: string; group: readonly string[] };
  /** A query that yields key and columns, from the rows of that table. */
  expected(rows: RawBuilder<unknown>): RawBuilder<unknown>;
}

/** A message that was handled and whose effect is not there. */
export interface Unaccounted {
  messageId: string;
  table: string;
  key: Record<string, unknown>;
}

/**
 * Tables that come out equal whenever the same events are handled in the same order per aggregate. A row is made by the messages of one aggregate of one
 * source. Each table has a primary key.
 */
export interface Projection {
  sources: readonly [ProjectionSource, ...ProjectionSource[]];
  /** Parents first. The handlers name them without schema. */
  tables: readonly string[];
  /** Indexes that handlers look rows up by, beside those that keep something unique; all by default. The others are not made for a replay. */
  lookups?: readonly string[];
  columns?: readonly DerivedColumns[];
  own?: OwnEvents;
  /**
   * What the live consumer has to handle again, because its own events lack what should have come of it. It may look into the messages of the inbox; where there is none of this, a
   * whole replay keeps the rows of what it handled without them.
   */
  unaccounted?(tx: Tx, consumer: { consumer: string; generation: number }): Promise<Unaccounted[]>;
  /** Makes the tables that were dropped, empty. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's database
  create?: RawBuilder<any>;
}

/** What a service can replay, and why it cannot replay the rest. */
export interface Replayable {
  projections: readonly Projection[];
  /** By durable, one sentence each. */
  refused?: Readonly<Record<string, string>>;
}

export const durablesOfProjection = ({ sources }: Projection): string[] => sources.map((source) => source.durable);

export const projectionOf = ({ projections }: Replayable, durable: string): Projection | undefined =>
  projections.find((one) => durablesOfProjection(one).includes(durable));
