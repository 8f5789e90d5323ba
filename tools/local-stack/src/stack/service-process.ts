import { request } from 'undici';
import { type Exit, ManagedProcess } from '../process/managed-process.js';
import { until } from '../process/until.js';

export interface ServiceProcessSpec {
  /** `payments-2` */
  name: string;
  /** What runs and what it is given, program first. */
  command: readonly [string, ...string[]];
  cwd: string;
  log: string;
  url: string;
  /** Path that answers 200 when the process can serve. */
  readyPath: string;
  env: NodeJS.ProcessEnv;
}

/** One process of a service or the simulator, which can be ended and started again on its port. */
export class ServiceProcess {
  private process: ManagedProcess | undefined;
  /** Raised by ends that we asked for, so that the others count as crashes. */
  private expectedToEnd = true;
  private program: string | undefined;

  constructor(
    readonly spec: ServiceProcessSpec,
    private readonly onCrash: (crashed: ServiceProcess, exit: Exit) => void,
  ) {}

  /** undefined while it is down. */
  get pid(): number | undefined {
    return this.process?.alive === true ? this.process.pid : undefined;
  }

  /** Resolves with how the current run ends. */
  async exited(): Promise<Exit> {
    if (this.process === undefined) throw new Error(`Bug: ${this.spec.name} was never started`);
    return this.process.exited;
  }

  /** From its next start on it runs that program, with the options of Node of before. */
  runFromNowOn(program: string): void {
    this.program = program;
  }

  /** Starts it without waiting for it to be ready. `env` replaces that of the spec for this run. */
  async launch(env: NodeJS.ProcessEnv = this.spec.env): Promise<void> {
    const [command, ...given] = this.spec.command;
    const args = this.program === undefined ? given : [...given.slice(0, -1), this.program];
    const { name, cwd, log } = this.spec;
    const child = await ManagedProcess.start({ name, command, args, env, cwd, log, stopSignal: 'SIGTERM' });
    this.process = child;
    this.expectedToEnd = false;
    void child.exited.then((exit) => {
      if (!this.expectedToEnd && this.process === child) this.onCrash(this, exit);
    });
  }

  /** Waits until it says that it is ready. Throws StackError with the end of its log when it ends before, or at the deadline. */
  async ready(timeoutMs = 60_000): Promise<void> {
    const child = this.process;
    await until(() => expectReady(`${this.spec.url}${this.spec.readyPath}`), {
      what: `${this.spec.name} to be ready (log: ${this.spec.log})`,
      timeoutMs,
      giveUp: () =>
        child?.exit === undefined ? undefined : `${this.spec.name} ended while it started; the end of ${this.spec.log}:\n${child.said()}`,
    });
  }

  /** SIGTERM, and SIGKILL when it has not ended after the grace. */
  async stop(graceMs = 20_000): Promise<Exit | undefined> {
    this.expectedToEnd = true;
    return this.process?.stop(graceMs);
  }

  /** Sends a signal that is meant to end it, and waits for the end. */
  async kill(signal: NodeJS.Signals): Promise<Exit | undefined> {
    this.expectedToEnd = true;
    if (signal === 'SIGKILL') return this.process?.kill();
    this.process?.signal(signal);
    return this.process?.exited;
  }

  /** Sends a signal that does not end it, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void {
    this.process?.signal(signal);
  }
}

/** Not with `fetch`, which refuses some ports, 6000 among them, that a person may choose with --port-base. */
async function expectReady(url: string): Promise<void> {
  const { statusCode, body } = await request(url, { headersTimeout: 3000, bodyTimeout: 3000 });
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`${url} answers ${statusCode} ${text.slice(0, 300)}`);
}
