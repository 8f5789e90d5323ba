import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline as piped, type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { z } from 'zod';
import { Failure } from '../exit.js';

/** `backup.json`: what a backup holds. A table's rows are in `<schema>.<table>.jsonl.gz`, each a row as PostgreSQL writes it as text. */
export const Manifest = z.object({
  format: z.literal(1),
  /** The instant of the snapshot, on the database's clock: what came later is the gap. */
  taken_at: z.iso.datetime(),
  postgres: z.string(),
  /** Migrations by schema, as `id sha256`: a backup is loaded into tables of exactly these. */
  migrations: z.record(z.string(), z.array(z.string())),
  tables: z.array(z.object({ schema: z.string(), name: z.string(), columns: z.array(z.string()), rows: z.int(), sha256: z.string() })),
  /** Partitions of the tables, with their bounds. */
  partitions: z.array(z.object({ schema: z.string(), name: z.string(), of: z.string(), bound: z.string() })),
  sequences: z.array(z.object({ schema: z.string(), name: z.string(), last: z.string(), called: z.boolean() })),
});
export type Manifest = z.infer<typeof Manifest>;
export type DumpedTable = Manifest['tables'][number];

export const fileOf = (folder: string, { schema, name }: Pick<DumpedTable, 'schema' | 'name'>): string =>
  join(folder, `${schema}.${name}.jsonl.gz`);

const manifestOf = (folder: string): string => join(folder, 'backup.json');

/** Makes a backup of the rows in a folder: all at once, so that half of it is never there. */
export function writeManifest(folder: string, manifest: Manifest): void {
  const part = `${manifestOf(folder)}.part`;
  writeFileSync(part, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(part, manifestOf(folder));
}

/** Rows were written there, but `backup.json`, which is last, was not. */
export const isUnfinished = (folder: string): boolean =>
  existsSync(folder) && !existsSync(manifestOf(folder)) && readdirSync(folder).some((file) => file.endsWith('.jsonl.gz'));

/** Throws a Failure for a folder that holds no backup. */
export function readManifest(folder: string): Manifest {
  if (isUnfinished(folder))
    throw new Failure('backup.unfinished', `${folder} holds a backup that was not finished: nothing can be restored from it.`);
  const text = readFileSync(manifestOf(folder), 'utf8');
  try {
    return Manifest.parse(JSON.parse(text));
  } catch {
    throw new Failure('backup.damaged', `${manifestOf(folder)} is not what \`backup create\` wrote.`);
  }
}

/** What is held at once of a table: a text of half a gigabyte cannot be. */
export const PAGE_CHARACTERS = 8_000_000;

/** Writes pages of rows; answers how many and the hash of their lines. */
export async function writeRows(file: string, pages: AsyncIterable<string[]>): Promise<{ rows: number; sha256: string }> {
  const hash = createHash('sha256');
  let rows = 0;
  const lines = async function* () {
    for await (const page of pages) {
      rows += page.length;
      const text = page.map((row) => `${JSON.stringify(row)}\n`).join('');
      hash.update(text);
      yield text;
    }
  };
  await pipeline(lines, createGzip({ level: 1 }), createWriteStream(file, { mode: 0o600, flush: true }));
  return { rows, sha256: hash.digest('hex') };
}

/** Pages of the rows of a file, of some megabytes each at most. Throws a Failure when they are not those that were written. */
export async function* readRows(folder: string, table: DumpedTable, pageSize: number): AsyncGenerator<string[]> {
  const hash = createHash('sha256');
  let rows = 0;
  let page: string[] = [];
  let characters = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  // Who reads the lines hears of what fails.
  const input = piped(createReadStream(fileOf(folder, table)), createGunzip(), counted, () => undefined);
  try {
    for await (const line of linesOf(input)) {
      rows += 1;
      page.push(JSON.parse(line) as string);
      characters += line.length;
      if (page.length < pageSize && characters < PAGE_CHARACTERS) continue;
      yield page;
      [page, characters] = [[], 0];
    }
  } catch (error) {
    throw new Failure(
      'backup.damaged',
      `${fileOf(folder, table)} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
  if (page.length > 0) yield page;
  if (rows !== table.rows || hash.digest('hex') !== table.sha256)
    throw new Failure(
      'backup.damaged',
      `${table.schema}.${table.name} is damaged: ${rows} of ${table.rows} rows, or not those that were written.`,
    );
}

/** By line feeds alone: Node's own reader ends a line at U+2028 and U+2029 as well, which JSON leaves in a text as they are. */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  let line = '';
  for await (const text of input.setEncoding('utf8') as AsyncIterable<string>) {
    const [rest = '', ...begun] = text.split('\n');
    line += rest;
    for (const next of begun) {
      yield line;
      line = next;
    }
  }
  if (line !== '') yield line;
}
