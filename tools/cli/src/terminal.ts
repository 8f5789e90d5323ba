import type { Readable, Writable } from 'node:stream';

/** Where the command runs: everything it knows of its process. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** A person sits there who can be asked. */
  interactive: boolean;
  colors: boolean;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  input: Readable;
  output: Writable;
}

/** The terminal of this process. No colours without a TTY or with NO_COLOR (https://no-color.org). */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  // Whoever reads it may have had enough (`| head -1`); the exit code tells the rest.
  for (const stream of [stdout, stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    interactive: stdin.isTTY === true && stdout.isTTY === true,
    colors: stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    env,
    cwd: process.cwd(),
    input: stdin,
    output: stdout,
  };
}
