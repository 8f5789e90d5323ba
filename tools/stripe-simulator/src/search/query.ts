import { invalidParam } from '../http/errors.js';

type Operator = ':' | '~' | '>' | '<' | '>=' | '<=';

export interface Clause {
  readonly field: string;
  /** The key of `metadata["key"]`. */
  readonly key?: string;
  readonly operator: Operator;
  /** Text, or null for `metadata["key"]:null`. */
  readonly value: string | null;
  readonly negated: boolean;
}

export interface Query {
  readonly all: boolean;
  readonly clauses: readonly Clause[];
}

const CLAUSE =
  /\s*(-?)([a-z_.0-9]+)(?:\[(?:"([^"]*)"|'([^']*)')\])?\s*(>=|<=|[:~><])\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(-?[\w.]+))\s*/iy;
const JOINT = /\s*(AND|OR)?\s*/iy;

/** Reads Stripe's search query language (https://docs.stripe.com/search#search-query-language): clauses joined by AND, or all by OR. */
export function parseQuery(text: string): Query {
  const clauses: Clause[] = [];
  const joints = new Set<string>();
  for (let at = 0; at < text.length;) {
    const match = matchAt(CLAUSE, text, at);
    if (match === null) throw unreadable();
    clauses.push(clauseOf(match));
    at += match[0].length;
    const joint = matchAt(JOINT, text, at);
    at += joint?.[0].length ?? 0;
    if (at < text.length) joints.add(joint?.[1]?.toUpperCase() ?? 'AND');
    else if (joint?.[1] !== undefined) throw unreadable();
  }
  if (clauses.length === 0) throw unreadable();
  if (joints.size > 1) throw invalidParam('Mixing AND and OR in one search query is not supported.', 'query');
  return { all: !joints.has('OR'), clauses };
}

function clauseOf([, minus, field = '', keyA, keyB, operator, quotedA, quotedB, bare]: RegExpExecArray): Clause {
  const key = keyA ?? keyB;
  const quoted = quotedA ?? quotedB;
  return {
    field,
    ...(key !== undefined && { key }),
    operator: operator as Operator,
    value: quoted?.replace(/\\(.)/g, '$1') ?? (bare === 'null' ? null : (bare ?? '')),
    negated: minus === '-',
  };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function unreadable(): Error {
  return invalidParam(
    'We were unable to parse your search query. Try using the format `metadata["key"]:"value"` to query for metadata or key:"value" to query for other fields.',
    'query',
  );
}
