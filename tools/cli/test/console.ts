import { PassThrough, Readable } from 'node:stream';
import { type ExitCode } from '../src/exit.js';
import { run } from '../src/program.js';
import type { Terminal } from '../src/terminal.js';

export interface Ran {
  exitCode: ExitCode;
  out: string;
  err: string;
  /** What a person saw beside it: questions, and what moves. */
  screen: string;
}

export interface ConsoleOptions {
  env?: Record<string, string | undefined>;
  cwd?: string;
  colors?: boolean;
  /** A person sits there and presses this key when asked. */
  presses?: string;
  /** While that person thinks. */
  beforeAnswer?: () => Promise<unknown>;
  /** What is piped in. */
  stdin?: string;
}

/** Runs one command line in this process, at a terminal where nobody sits. */
export async function tidegate(line: string | readonly string[], options: ConsoleOptions = {}): Promise<Ran> {
  const args = typeof line === 'string' ? words(line) : line;
  const ran = { out: '', err: '' };
  const input = options.presses === undefined ? Readable.from([options.stdin ?? '']) : new PassThrough();
  const output = new PassThrough();
  let seen = '';
  let asked = false;
  output.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
    if (asked || !seen.includes('Go on?')) return;
    asked = true;
    // Once the question, which is being drawn, listens for keys.
    setImmediate(() => void Promise.resolve(options.beforeAnswer?.()).then(() => (input as PassThrough).write(options.presses)));
  });
  const terminal: Terminal = {
    out: (text) => void (ran.out += text),
    err: (text) => void (ran.err += text),
    interactive: options.presses !== undefined,
    colors: options.colors ?? false,
    env: options.env ?? {},
    cwd: options.cwd ?? '/',
    input,
    output,
  };
  const exitCode = await run(args, terminal);
  return { exitCode, ...ran, screen: seen };
}

/** As a shell would split it; double quotes keep words together. */
export const words = (line: string): string[] => [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
