import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { type Snapshot } from './snapshot.js';

/** Items of a list in one line. Together with many lines instead of one text it keeps every string small, however large the state is. */
const ITEMS_PER_LINE = 500;

/** A line of the file: a piece of the list at `path`, or everything that is not a list of objects. */
type Line = { path: string; items: readonly unknown[] } | { rest: Record<string, unknown> };

/** Writes a snapshot as lines of JSON: one text of it all would at some size be longer than a string can be. */
export function writeSnapshot(path: string, snapshot: Snapshot): void {
  const file = openSync(path, 'w', 0o600);
  try {
    for (const line of linesOf(snapshot)) writeSync(file, `${JSON.stringify(line)}\n`);
  } finally {
    closeSync(file);
  }
}

/** Reads what `writeSnapshot` wrote; null when the file is something else. */
export function readSnapshot(path: string): Snapshot | null {
  const bytes = readFileSync(path);
  const snapshot: Record<string, unknown> = { objects: {} };
  try {
    for (let from = 0; from < bytes.length;) {
      const end = bytes.indexOf('\n', from);
      const line: unknown = JSON.parse(bytes.toString('utf8', from, end === -1 ? bytes.length : end));
      if (!isLine(line)) return null;
      take(snapshot, line);
      from = end === -1 ? bytes.length : end + 1;
    }
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  return snapshot['format'] === 2 ? (snapshot as unknown as Snapshot) : null;
}

const isLine = (value: unknown): value is Line =>
  typeof value === 'object' && value !== null && ('rest' in value || ('path' in value && 'items' in value));

function* linesOf({ objects, ...others }: Snapshot): Generator<Line> {
  const lists = Object.entries(others).filter(([, value]) => Array.isArray(value)) as [string, readonly unknown[]][];
  yield { rest: Object.fromEntries(Object.entries(others).filter(([, value]) => !Array.isArray(value))) };
  for (const [name, items] of Object.entries(objects)) yield* pieces(`objects.${name}`, items);
  for (const [name, items] of lists) yield* pieces(name, items);
}

function* pieces(path: string, items: readonly unknown[]): Generator<Line> {
  yield { path, items: items.slice(0, ITEMS_PER_LINE) };
  for (let from = ITEMS_PER_LINE; from < items.length; from += ITEMS_PER_LINE)
    yield { path, items: items.slice(from, from + ITEMS_PER_LINE) };
}

function take(snapshot: Record<string, unknown>, line: Line): void {
  if ('rest' in line) {
    Object.assign(snapshot, line.rest);
    return;
  }
  const [first = '', name] = line.path.split('.');
  const home = name === undefined ? snapshot : (snapshot[first] as Record<string, unknown>);
  const list = (home[name ?? first] ??= []) as unknown[];
  for (const item of line.items) list.push(item);
}
