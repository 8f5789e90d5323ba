import { createHash } from 'node:crypto';
import pg from 'pg';

/** From this use on a statement is prepared; what is asked once or twice is not worth a place. */
const WORTH_PREPARING = 3;
/** Distinct statements that a process remembers; lists of changing length could make any number. */
const MOST_STATEMENTS = 500;
/** A prepared statement with `*` fails for good on its connection when a later version of the product adds a column. */
const STAR = /\*\s+from\b|\breturning\s+\*/i;

const seen = new Map<string, { uses: number; name: string }>();

/**
 * A client that prepares what it is asked often, so that Postgres parses and plans it once per connection instead of each time: for the
 * statements that decide a payment, planning costs more than running.
 */
export class PreparingClient extends pg.Client {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- pg's overloads, all of which pass through
  override query(...args: any[]): any {
    const [text, values] = args;
    if (typeof text === 'string' && Array.isArray(values) && values.length > 0) {
      const name = nameOf(text);
      if (name !== undefined) return super.query({ name, text, values } as pg.QueryConfig, ...args.slice(2));
    }
    return super.query(...(args as Parameters<pg.Client['query']>));
  }
}

function nameOf(text: string): string | undefined {
  let statement = seen.get(text);
  if (!statement) {
    if (seen.size >= MOST_STATEMENTS || STAR.test(text)) return undefined;
    statement = { uses: 0, name: createHash('sha1').update(text).digest('base64url') };
    seen.set(text, statement);
  }
  statement.uses += 1;
  return statement.uses >= WORTH_PREPARING ? statement.name : undefined;
}
