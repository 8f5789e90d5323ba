/**
 * The worker thread that owns the Typst engine, so that a slow document never holds up the service's event loop. It imports nothing
 * of ours at run time: it runs from source too, where a relative `.js` import would not resolve.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { NodeCompiler } from '@myriaddreamin/typst-ts-node-compiler';
import { create, type Font } from 'fontkit';
import type { RenderErrorName } from './render-error.js';

export interface WorkerSettings {
  templates: string;
  fonts: { file: string; family: string }[];
  engineVersion: string;
}
export interface RenderRequest {
  id: number;
  template: string;
  data: unknown;
  /** PNGs by their SHA-256, which the data names. */
  logos: Record<string, Uint8Array>;
  /** Seconds since the epoch, the document's only date. */
  createdAt: number;
}
export interface RenderedBytes {
  pdf: Uint8Array;
  template: string;
  engine: string;
  fonts: string;
}
export type RenderReply =
  { id: number; ok: true; value: RenderedBytes } | { id: number; ok: false; error: RenderErrorName; message: string };

/**
 * What the engine remembers is looked through after so many documents, and what none of them used is dropped then: memory stays flat over any number of documents, and
 * what they share (labels, plans for setting text) is there for the next one.
 */
const DOCUMENTS_PER_EVICTION = 8;
const EVICTIONS_UNUSED = 1;
const MISSING_GLYPH = '?';
const ONLY_ASCII = /^[\x20-\x7E]*$/;
/** What Intl puts around figures in Arabic; users' text has none left. No glyph is drawn for them. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u;

class Fault extends Error {
  readonly error: RenderErrorName;
  constructor(error: RenderErrorName, message: string) {
    super(message);
    this.error = error;
  }
}

interface Engine {
  compiler: NodeCompiler;
  version: string;
  fonts: string;
  covered: Set<number>;
  /** Whether all of ASCII is covered, so that text of nothing else needs no look at each character. */
  coversAscii: boolean;
}

const settings = workerData as WorkerSettings;
let engine: Engine | undefined;
let documents = 0;

parentPort?.on('message', (request: RenderRequest) => {
  const answer = reply(request);
  // Handed over, not copied.
  parentPort?.postMessage(answer, answer.ok ? [answer.value.pdf.buffer as ArrayBuffer] : []);
});

function reply(request: RenderRequest): RenderReply {
  try {
    engine ??= startEngine();
    return { id: request.id, ok: true, value: render(engine, request) };
  } catch (error) {
    const name = error instanceof Fault ? error.error : 'engine';
    return { id: request.id, ok: false, error: name, message: error instanceof Error ? error.message : String(error) };
  }
}

function startEngine(): Engine {
  const fonts = settings.fonts.map(readFont);
  const compiler = NodeCompiler.create({ workspace: settings.templates, fontArgs: [{ fontBlobs: fonts.map((font) => font.bytes) }] });
  const [typst] = compiler.query(
    { mainFileContent: '#metadata(str(sys.version))<version>' },
    { selector: '<version>', field: 'value' },
  ) as [string];
  const covered = new Set([...Map.groupBy(fonts, ({ family }) => family).values()].flatMap(coveredByAll));
  return {
    compiler,
    version: `typst ${typst} (typst-ts-node-compiler ${settings.engineVersion})`,
    fonts: sha256(fonts.map((font) => sha256(font.bytes)).join('\n')),
    covered,
    coversAscii: Array.from({ length: 0x7f - 0x20 }, (_, at) => 0x20 + at).every((character) => covered.has(character)),
  };
}

/** What each weight of a family has. */
function coveredByAll(weights: readonly { characters: Set<number> }[]): number[] {
  return [...(weights[0]?.characters ?? [])].filter((character) => weights.every(({ characters }) => characters.has(character)));
}

function readFont(font: WorkerSettings['fonts'][number]): { family: string; bytes: Buffer; characters: Set<number> } {
  try {
    const bytes = readFileSync(font.file);
    const parsed = create(bytes) as Font;
    if (!parsed.familyName.startsWith(font.family)) throw new Error(`it is ${parsed.familyName}`);
    return { family: font.family, bytes, characters: new Set(parsed.characterSet) };
  } catch (error) {
    throw new Fault(
      'font',
      `${path.basename(font.file)} is not a readable font of ${font.family}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function render(from: Engine, request: RenderRequest): RenderedBytes {
  const source = readTemplate(request.template);
  const data = JSON.stringify(printable(request.data, from));
  const logos = Object.entries(request.logos).map(([hash, bytes]) => ({
    path: path.join(settings.templates, 'logos', `${hash}.png`),
    bytes,
  }));
  try {
    for (const logo of logos) from.compiler.mapShadow(logo.path, Buffer.from(logo.bytes));
    const pdf = from.compiler.pdf(
      { mainFileContent: source, inputs: { data } },
      { pdfStandard: 'a-2b', creationTimestamp: request.createdAt },
    );
    return {
      pdf: new Uint8Array(pdf),
      template: `${request.template}@${sha256(source).slice(0, 12)}`,
      engine: from.version,
      fonts: from.fonts,
    };
  } catch (error) {
    throw new Fault('template', `${request.template}: ${reasonOf(error)}`);
  } finally {
    for (const logo of logos) from.compiler.unmapShadow(logo.path);
    if ((documents += 1) % DOCUMENTS_PER_EVICTION === 0) from.compiler.evictCache(EVICTIONS_UNUSED);
  }
}

/** The engine leaves the message empty and says in `code` what is wrong: `0: unclosed delimiter`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.trim() || String((error as { code?: unknown }).code ?? error.name);
}

function readTemplate(name: string): string {
  if (!/^[a-z][a-z0-9_-]*$/.test(name)) throw new Fault('template', `"${name}" is no template name`);
  try {
    return readFileSync(path.join(settings.templates, `${name}.typ`), 'utf8');
  } catch {
    throw new Fault('template', `${name}.typ is missing`);
  }
}

/** PDF/A refuses a character that the fonts lack: it is printed as a question mark instead of failing the whole receipt. */
function printable(value: unknown, from: Engine): unknown {
  const { covered, coversAscii } = from;
  if (typeof value === 'string') {
    if (coversAscii && ONLY_ASCII.test(value)) return value;
    return Array.from(value, (c) => (covered.has(c.codePointAt(0) ?? 0) || INVISIBLE.test(c) ? c : MISSING_GLYPH)).join('');
  }
  if (Array.isArray(value)) return value.map((item) => printable(item, from));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, printable(item, from)]));
}

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
