import pg from 'pg';

/** Longer than any statement takes that Postgres may end by itself: `STATEMENT_TIMEOUT_MS` in database.ts, and the way there and back. */
const ANSWER_WITHIN_MS = 25_000;
/** A transaction whose statements may take any time. */
const UNLIMITED = /^\s*set local statement_timeout = 0\s*$/i;
const END = /^\s*(?:commit|rollback)\s*$/i;

export interface WatchedConfig extends pg.ClientConfig {
  /** A connection on which something was asked and nothing answered for so long is given up; 25 s unless told. */
  answerWithinMs?: number;
}

/**
 * A client that gives up its connection when the server says nothing for longer than a statement may run. Of a server that vanished without a word (its machine lost power, a
 * firewall forgot the connection) TCP says so after a quarter of an hour only: what was sent is repeated for so long, and keep-alive is silent meanwhile.
 */
export class WatchedClient extends pg.Client {
  private readonly answerWithinMs: number;
  private unanswered = 0;
  private isUnlimited = false;
  private silence: NodeJS.Timeout | undefined;

  constructor(config?: WatchedConfig) {
    super(config);
    this.answerWithinMs = config?.answerWithinMs ?? ANSWER_WITHIN_MS;
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- pg's overloads, all of which pass through
  override query(...args: any[]): any {
    const [text] = args;
    if (typeof text === 'string' && UNLIMITED.test(text)) this.isUnlimited = true;
    const isEnd = typeof text === 'string' && END.test(text);
    // The pool's own `query` waits by a callback.
    const at = args.findIndex((arg) => typeof arg === 'function');
    if (at >= 0) args[at] = this.watched(args[at] as (...told: unknown[]) => void);
    const answer: unknown = super.query(...(args as Parameters<pg.Client['query']>));
    if (answer instanceof Promise) {
      // A COMMIT takes its time, too: constraints that are deferred are looked at by then.
      const answered = this.watched();
      const ended = () => {
        this.isUnlimited = false;
        answered();
      };
      answer.then(isEnd ? ended : answered, isEnd ? ended : answered);
    }
    return answer;
  }

  /** Counts one that was asked, until what this answers is called. */
  private watched(told: (...answer: unknown[]) => void = () => undefined): (...answer: unknown[]) => void {
    this.unanswered += 1;
    this.listen();
    return (...answer) => {
      this.unanswered -= 1;
      this.listen();
      told(...answer);
    };
  }

  private listen(): void {
    clearTimeout(this.silence);
    this.silence = undefined;
    if (this.unanswered === 0 || this.isUnlimited) return;
    const silence = setTimeout(() => {
      // After a time in which this process stood still, what has come meanwhile is read first.
      setImmediate(() => {
        if (this.silence === silence) this.giveUp();
      });
    }, this.answerWithinMs);
    this.silence = silence;
  }

  /** As the system would say it in the end, so that it is taken for what it is: the database is away. */
  private giveUp(): void {
    const silent = new Error(`Postgres answered nothing for ${this.answerWithinMs} ms; the connection is given up`);
    this.connection.stream.destroy(Object.assign(silent, { code: 'ETIMEDOUT' }));
  }
}
