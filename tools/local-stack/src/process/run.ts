import { type ChildProcess, spawn } from 'node:child_process';
import { StackError } from '../stack-error.js';
import { type OsUser } from '../postgres/unprivileged-user.js';

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Run as this user; only possible for root. */
  user?: OsUser | undefined;
  timeoutMs?: number;
  /** Leave stderr out of the output of a program that succeeds. */
  stdoutOnly?: boolean;
}

/** Runs a program to its end and returns its output (stdout, then stderr). Throws StackError with the tail of the output when it fails. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await tryRun(command, args, options);
  if (result.failure !== undefined) {
    const tail = result.output.trim().split('\n').slice(-8).join('\n');
    throw new StackError(`${command} ${result.failure}${tail === '' ? '' : `:\n${tail}`}`);
  }
  return result.output;
}

export interface RunResult {
  output: string;
  /** Why it counts as failed ("exited with code 3", "could not be started: …"); undefined when it ended with 0. */
  failure?: string;
}

const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** Like `run`, for callers that have another way when the program is missing or fails. */
export function tryRun(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.user === undefined ? {} : { uid: options.user.uid, gid: options.user.gid }),
    });
    running.add(child);
    const impatience = options.timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    const ended = (result: RunResult) => {
      running.delete(child);
      clearTimeout(impatience);
      resolve(result);
    };
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    const output = () => Buffer.concat([...out, ...err]).toString('utf8');
    child.on('error', (error) => ended({ output: output(), failure: `could not be started: ${error.message}` }));
    child.on('close', (code, signal) => {
      if (code === 0) ended({ output: options.stdoutOnly === true ? Buffer.concat(out).toString('utf8') : output() });
      else ended({ output: output(), failure: signal === null ? `exited with code ${code}` : `was ended by ${signal}` });
    });
  });
}
