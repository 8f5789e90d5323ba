import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type OsUser } from '../postgres/unprivileged-user.js';
import { StackError } from '../stack-error.js';
import { forgetInReaper, watchWithReaper } from './reaper.js';

export interface ProcessSpec {
  /** How it is called in messages: `payments-1`, `PostgreSQL`. */
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Output is appended to this file; its folder is made. */
  log: string;
  user?: OsUser | undefined;
  /** The signal that asks it to end in good order. */
  stopSignal: NodeJS.Signals;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** One child in a process group of its own, watched by the reaper from its first moment to its last. */
export class ManagedProcess {
  /** Resolves when it has ended, for whatever reason; never rejects. */
  readonly exited: Promise<Exit>;
  /** How it ended; undefined while it lives. */
  exit: Exit | undefined;
  readonly pid: number;

  private constructor(
    readonly spec: ProcessSpec,
    private readonly child: ChildProcess & { pid: number },
    /** Where in the log its output begins. */
    private readonly logBegin: number,
  ) {
    this.pid = child.pid;
    watchWithReaper(this.pid, spec.stopSignal);
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.exit = { code, signal };
        forgetInReaper(this.pid);
        resolve(this.exit);
      });
    });
  }

  /** Starts it. Throws StackError when the program cannot be started at all. */
  static async start(spec: ProcessSpec): Promise<ManagedProcess> {
    mkdirSync(dirname(spec.log), { recursive: true });
    const log = openSync(spec.log, 'a', 0o600);
    const logBegin = fstatSync(log).size;
    try {
      const child = spawn(spec.command, spec.args, {
        cwd: spec.cwd,
        env: spec.env,
        stdio: ['ignore', log, log],
        detached: true,
        ...(spec.user === undefined ? {} : { uid: spec.user.uid, gid: spec.user.gid }),
      });
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', (error) => reject(new StackError(`${spec.name} could not be started: ${error.message}.`)));
      });
      return new ManagedProcess(spec, child as ChildProcess & { pid: number }, logBegin);
    } finally {
      closeSync(log);
    }
  }

  get alive(): boolean {
    return this.exit === undefined;
  }

  /** The last lines that this one wrote, not another before it, for error messages. */
  said(lines?: number): string {
    return tailOf(this.spec.log, lines, this.logBegin);
  }

  /** Sends a signal to the process alone; does nothing when it has ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.alive) signalQuietly(this.pid, signal);
  }

  /** Lets it live on when this process ends. */
  release(): void {
    forgetInReaper(this.pid);
    this.child.unref();
  }

  /** SIGKILL to the whole group, children of its own included; returns when it has ended. */
  async kill(): Promise<Exit> {
    signalQuietly(-this.pid, 'SIGKILL');
    return this.exited;
  }

  /** Asks it to end, and kills its group when it has not done so after `graceMs`. Returns how it ended. */
  async stop(graceMs: number): Promise<Exit> {
    this.signal(this.spec.stopSignal);
    const impatience = setTimeout(() => void this.kill(), graceMs);
    const exit = await this.exited;
    clearTimeout(impatience);
    signalQuietly(-this.pid, 'SIGKILL');
    return exit;
  }
}

/** The last lines of a log file, of those from a byte on, for error messages; empty when there is none. */
export function tailOf(file: string, lines = 15, begin = 0): string {
  try {
    return readFileSync(file).subarray(begin).toString().trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}

function signalQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone already: the very thing that was asked for.
  }
}
