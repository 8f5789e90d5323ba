import { StackError } from '../stack-error.js';

/** npm passes the terminal's Ctrl-C on to us, who got it from the terminal already: what comes this soon after the first is the same one. */
const sameKeystrokeMs = 1000;

/** Being told to stop: by Ctrl-C, by a signal, or by the end of the process that started us. A later second time means: at once. */
export class Interruption {
  private readonly controller = new AbortController();
  private first = 0;
  private atOnce: (() => Promise<void>) | undefined;
  readonly happened: Promise<void>;

  constructor() {
    this.happened = new Promise((resolve) => this.controller.signal.addEventListener('abort', () => resolve(), { once: true }));
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.interrupt());
    if (process.argv.includes('--supervised')) return;
    process.on('disconnect', () => this.interrupt());
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** What to do for somebody who does not want to wait for an orderly end. */
  onImpatience(kill: () => Promise<void>): void {
    this.atOnce = kill;
  }

  /** The value of `work`, or a rejection as soon as the interruption comes. */
  orReject<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.happened.then(() => Promise.reject(new StackError('Interrupted.')))]);
  }

  private interrupt(): void {
    if (!this.signal.aborted) {
      this.first = performance.now();
      this.controller.abort();
    } else if (performance.now() - this.first > sameKeystrokeMs) {
      void this.atOnce?.();
    }
  }
}
