import { type Db } from '@tidegate/database/database';
import {
  countDeadLetters,
  type DeadLetterQuery,
  discardDeadLetter,
  getDeadLetter,
  listDeadLetters,
  replayDeadLetter,
} from './dead-letters.js';

/** Work that was set aside, wherever it is kept. `key` is unique within its consumer. */
export interface SetAside {
  kind: 'dead' | 'parked';
  consumer: string;
  key: string;
  subject: string;
  aggregate: string;
  reason: string;
  attempts: number;
  at: Date;
}

export interface SetAsideDetail extends SetAside {
  /** As it will be shown, before secrets are taken out. */
  payload: unknown;
  behind: { count: number; first: { message_id: string; subject: string; stored_at: Date }[] };
}

export interface SetAsideQuery {
  consumer?: string | undefined;
  /** Only these, as `consumer` and `key`. */
  among?: readonly { consumer: string; key: string }[] | undefined;
  reason?: string | undefined;
  after?: { at: Date; consumer: string; key: string } | undefined;
  limit: number;
}

/** Runs in the transaction of a change. */
export type Audit = (tx: Db) => Promise<void>;

/** A place where work is set aside: the inbox, or a table of the service's own. Lists go by (at, consumer, key), compared as bytes. */
export interface SetAsideStore {
  list(query: SetAsideQuery): Promise<SetAside[]>;
  count(query: Omit<SetAsideQuery, 'limit' | 'after'>): Promise<number>;
  get(consumer: string, key: string): Promise<SetAsideDetail | null>;
  /** False when it is not set aside any more. */
  replay(one: SetAside, audit: Audit): Promise<boolean>;
  discard(one: SetAside, reason: string, audit: Audit): Promise<boolean | 'cannot_be_discarded'>;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The dead messages of a service. `wake` tells the subscriber in this process that there is work; those in others look each second. */
export function inboxStore(db: Db, wake: (consumer: string) => void): SetAsideStore {
  return {
    async list(query) {
      const asked = inboxQuery(query);
      return asked ? (await listDeadLetters(db, { ...asked, limit: query.limit })).map(ofInbox) : [];
    },
    async count(query) {
      const asked = inboxQuery(query);
      return asked ? countDeadLetters(db, asked) : 0;
    },
    async get(consumer, key) {
      const found = UUID.test(key) ? await getDeadLetter(db, consumer, key) : null;
      return found && { ...ofInbox(found), payload: read(found.bytes), behind: found.behind };
    },
    async replay({ consumer, key }, audit) {
      const done = UUID.test(key) && (await replayDeadLetter(db, consumer, key, audit));
      if (done) wake(consumer);
      return done;
    },
    async discard({ consumer, key }, reason, audit) {
      const done = UUID.test(key) && (await discardDeadLetter(db, consumer, key, reason, audit));
      if (done) wake(consumer);
      return done;
    },
  };
}

function inboxQuery({ consumer, among, reason, after }: Omit<SetAsideQuery, 'limit'>): DeadLetterQuery | null {
  const messages = among?.filter((one) => UUID.test(one.key)).map((one) => ({ consumer: one.consumer, messageId: one.key }));
  if (messages?.length === 0) return null;
  return { consumer, among: messages, reason, after: after && { at: after.at, consumer: after.consumer, messageId: after.key } };
}

const ofInbox = (row: Awaited<ReturnType<typeof listDeadLetters>>[number]): SetAside => ({
  kind: 'dead',
  consumer: row.consumer,
  key: row.message_id,
  subject: row.subject,
  aggregate: row.aggregate,
  reason: row.reason ?? '',
  attempts: row.attempts,
  at: row.at,
});

function read(bytes: Buffer): unknown {
  const text = bytes.toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Several places as one. */
export function together(stores: readonly SetAsideStore[]): SetAsideStore {
  const firstOf = async <T>(answers: Iterable<() => Promise<T>>, none: T): Promise<T> => {
    for (const answer of answers) {
      const value = await answer();
      if (value !== none) return value;
    }
    return none;
  };
  return {
    async list(query) {
      const all = (await Promise.all(stores.map((store) => store.list(query)))).flat();
      return all.toSorted(inOrder).slice(0, query.limit);
    },
    async count(query) {
      return (await Promise.all(stores.map((store) => store.count(query)))).reduce((sum, count) => sum + count, 0);
    },
    get: (consumer, key) =>
      firstOf(
        stores.map((store) => () => store.get(consumer, key)),
        null,
      ),
    replay: (one, audit) =>
      firstOf(
        stores.map((store) => () => store.replay(one, audit)),
        false,
      ),
    discard: (one, reason, audit) =>
      firstOf(
        stores.map((store) => () => store.discard(one, reason, audit)),
        false as boolean | 'cannot_be_discarded',
      ),
  };
}

export function inOrder(a: Pick<SetAside, 'at' | 'consumer' | 'key'>, b: Pick<SetAside, 'at' | 'consumer' | 'key'>): number {
  return a.at.getTime() - b.at.getTime() || compare(a.consumer, b.consumer) || compare(a.key, b.key);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
