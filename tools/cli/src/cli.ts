import { confirm, isCancel } from '@clack/prompts';
import type { Command } from 'commander';
import { type ExitCode, Failure, failureOf } from './exit.js';
import { movingLine } from './output/moving.js';
import { paint, type Paint } from './output/paint.js';
import { RestClient } from './rest/rest-client.js';
import { findSettings } from './settings/settings.js';
import type { Terminal } from './terminal.js';

/** What every command may be given. */
export interface CommonOptions {
  json?: true;
  yes?: true;
  reason?: string;
}

/** A change as it is shown before it is made. */
export interface Change<R> {
  /** One line each, beginning with a verb: `revoke the key …`. */
  will: string[];
  /** What the person should know before; shown with the preview. */
  beware?: string[];
  act(): Promise<R>;
}

export type Changed<R> = { done: true; result: R } | { done: false; result: null };

/** Where nobody watches a line move, such as the log of a job. */
const SAY_AGAIN_MS = 30_000;

function refuseEmpty(args: readonly string[]): void {
  if (args.some((one) => one.trim() === ''))
    throw new Failure('argument.empty', 'An argument is empty, perhaps a variable of the shell that is not set. Nothing was done.');
}

/** One run of a command: its terminal, the gateway, and how it ends. */
export class Cli {
  exitCode: ExitCode = 0;
  #json = false;
  #client: RestClient | undefined;
  readonly paint: Paint;

  constructor(readonly terminal: Terminal) {
    this.paint = paint(terminal.colors);
  }

  /** The REST interface; throws a Failure when no settings are found. */
  get client(): RestClient {
    return (this.#client ??= new RestClient(findSettings(this.terminal)));
  }

  /** Makes an action of what a command does: its answer is the exit code, and a Failure, or what counts as one, is one sentence. */
  run<Args extends unknown[]>(work: (...args: Args) => Promise<ExitCode>): (...args: [...Args, Command]) => Promise<void> {
    return async (...args) => {
      const command = args.at(-1) as Command;
      this.#json = command.opts<CommonOptions>().json === true;
      try {
        refuseEmpty(command.args);
        this.exitCode = await work(...(args.slice(0, -1) as Args));
      } catch (error) {
        this.exitCode = 1;
        this.#failed(error);
      }
    };
  }

  /** The result: one JSON document, or what a person reads. */
  show(json: unknown, human: string | (() => string)): void {
    if (this.#json) return this.terminal.out(`${JSON.stringify(json, null, 2)}\n`);
    const text = typeof human === 'string' ? human : human();
    this.terminal.out(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Something to look at before a question; with `--json` it is in the result. */
  explain(text: string): void {
    if (!this.#json) this.terminal.out(`${text}\n`);
  }

  /** Something to know beside the result; never on stdout. */
  note(text: string): void {
    this.terminal.err(`${text}\n`);
  }

  /**
   * Shows what would happen and makes it happen after a yes: `--yes`, or a person's answer. Without either nothing is changed, and it says so.
   * `print` shows the result of what was done.
   */
  async change<R>(options: CommonOptions, { will, beware = [], act }: Change<R>, print: (result: R) => string): Promise<Changed<R>> {
    const preview = [...will.map((line) => `  - ${line}`), ...beware.map((line) => this.paint.warn(`  ! ${line}`))].join('\n');
    if (!this.#json) this.terminal.out(`This will\n${preview}\n`);
    const yes = options.yes === true || (await this.#agreed());
    if (!yes) {
      this.show({ done: false, would: will, result: null }, 'Nothing was changed.');
      return { done: false, result: null };
    }
    const result = await act();
    this.show({ done: true, would: will, result }, () => print(result));
    return { done: true, result };
  }

  /** Work that takes a while, with something that moves where a person looks at it, and else a line now and then; `say` changes what stands beside it. */
  async progress<R>(message: string, work: (say: (text: string) => void) => Promise<R>): Promise<R> {
    if (!this.terminal.interactive || this.#json) return this.#saidAgain(message, work);
    const line = movingLine(this.terminal.output, message);
    try {
      return await work(line.say);
    } finally {
      line.end(message);
    }
  }

  /** The same for work that knows how far it is, in percent. */
  bar<R>(message: string, work: (show: (percent: number, text: string) => void) => Promise<R>): Promise<R> {
    const drawn = (percent: number) => '━'.repeat(Math.max(1, Math.round(percent / 5))).padEnd(20, '─');
    return this.progress(message, (say) => work((percent, text) => say(`${message} ${drawn(percent)} ${Math.round(percent)} % ${text}`)));
  }

  async #saidAgain<R>(message: string, work: (say: (text: string) => void) => Promise<R>): Promise<R> {
    let said = message;
    const timer = setInterval(() => this.note(said), SAY_AGAIN_MS);
    try {
      return await work((text) => (said = text));
    } finally {
      clearInterval(timer);
    }
  }

  async #agreed(): Promise<boolean> {
    if (!this.terminal.interactive || this.#json) {
      this.note('Without a terminal to ask at, it takes --yes to do this.');
      return false;
    }
    const { input, output } = this.terminal;
    const answer = await confirm({ message: 'Go on?', initialValue: false, input, output });
    return !isCancel(answer) && answer;
  }

  #failed(error: unknown): void {
    const failure = failureOf(error);
    if (failure === null) throw error;
    const { code, message } = failure;
    if (this.#json) this.terminal.out(`${JSON.stringify({ error: { code, message } }, null, 2)}\n`);
    this.terminal.err(`${this.paint.bad('Failed:')} ${message}\n`);
  }
}
