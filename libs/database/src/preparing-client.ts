import { createHash } from 'node:crypto';
import type pg from 'pg';
import { binaryArray, type ElementType } from './binary-array.js';
import { WatchedClient } from './watched-client.js';

/** From this use on a statement is prepared; what is asked once or twice is not worth a place. */
const WORTH_PREPARING = 3;
/** Distinct statements that a process remembers; lists of changing length could make any number. */
const MOST_STATEMENTS = 500;
/** A prepared statement with `*` fails for good on its connection when a later version of the product adds a column. */
const STAR = /\*\s+from\b|\.\*\s*,|\breturning\s+(?:"?\w+"?\.)?\*/i;
/** A parameter that is an array, of a type that can go over in binary format. */
const ARRAY = /\$(\d+)::(text|uuid|integer|int|bigint|boolean|timestamptz)\[\]/g;

interface Statement {
  uses: number;
  /** Null of one that is never prepared. */
  name: string | null;
  /** By place among the parameters, from 0. */
  arrays: ReadonlyMap<number, ElementType>;
}

const seen = new Map<string, Statement>();

/**
 * A client that prepares what it is asked often, so that Postgres parses and plans it once per connection instead of each time: for the
 * statements that decide a payment, planning costs more than running. Arrays go over in binary format, where the statement says of which type they are.
 */
export class PreparingClient extends WatchedClient {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- pg's overloads, all of which pass through
  override query(...args: any[]): any {
    const [text, values] = args;
    if (typeof text === 'string' && Array.isArray(values) && values.length > 0) {
      const statement = statementOf(text);
      if (statement) {
        statement.uses += 1;
        const name = statement.name !== null && statement.uses >= WORTH_PREPARING ? { name: statement.name } : {};
        return super.query({ ...name, text, values: inBinary(statement, values) } as pg.QueryConfig, ...args.slice(2));
      }
    }
    return super.query(...args);
  }
}

function statementOf(text: string): Statement | undefined {
  let statement = seen.get(text);
  if (!statement) {
    if (seen.size >= MOST_STATEMENTS) return undefined;
    const arrays = new Map([...text.matchAll(ARRAY)].map(([, place, type]) => [Number(place) - 1, type as ElementType]));
    const isPrepared = !STAR.test(text);
    // It would only take a place.
    if (!isPrepared && arrays.size === 0) return undefined;
    statement = { uses: 0, name: isPrepared ? createHash('sha1').update(text).digest('base64url') : null, arrays };
    seen.set(text, statement);
  }
  return statement;
}

function inBinary({ arrays }: Statement, values: readonly unknown[]): readonly unknown[] {
  if (arrays.size === 0) return values;
  return values.map((value, place) => {
    const type = arrays.get(place);
    return type && Array.isArray(value) ? (binaryArray(type, value) ?? value) : value;
  });
}
