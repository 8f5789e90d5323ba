import { type Db } from '@tidegate/database/database';

/** Timers that were set for the same moment end some milliseconds apart. */
const GATHER_MS = 3;

interface Asked<Q, A> {
  question: Q;
  settle(answer: A): void;
  fail(error: unknown): void;
}

/**
 * Makes one statement of what the parts of a process ask in the same moment: `ask` gets the questions of some milliseconds about one database, and answers in
 * their order. When it throws, each asker fails.
 */
export function askTogether<Q, A>(ask: (db: Db, questions: readonly Q[]) => Promise<readonly A[]>): (db: Db, question: Q) => Promise<A> {
  const gathering = new WeakMap<Db, Asked<Q, A>[]>();

  async function askAll(db: Db, all: readonly Asked<Q, A>[]): Promise<void> {
    try {
      const answers = await ask(
        db,
        all.map(({ question }) => question),
      );
      all.forEach(({ settle }, i) => settle(answers[i]!));
    } catch (error) {
      for (const { fail } of all) fail(error);
    }
  }

  return (db, question) =>
    new Promise((settle, fail) => {
      const others = gathering.get(db);
      if (others) return void others.push({ question, settle, fail });
      const all = [{ question, settle, fail }];
      gathering.set(db, all);
      setTimeout(() => {
        gathering.delete(db);
        void askAll(db, all);
      }, GATHER_MS);
    });
}
