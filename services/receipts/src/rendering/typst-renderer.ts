import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { DocumentInput } from '../document/document-input.js';
import { packageRoot } from '../package-root.js';
import { bundledFonts, engineVersion } from './bundled-fonts.js';
import { RenderError } from './render-error.js';
import type { RenderedBytes, RenderReply, RenderRequest, WorkerSettings } from './typst.worker.js';

/** A PDF with all that determined it. `sha256` is of the bytes, `input` of the words and figures, hex. */
export interface RenderedDocument extends RenderedBytes {
  sha256: string;
  input: string;
}

/** PNGs by their SHA-256. */
export type Logos = Record<string, Uint8Array>;

export interface RendererOptions {
  templates?: string;
  fonts?: WorkerSettings['fonts'];
  timeoutMs?: number;
}

/** From its sources in tests, else as it was built: the worker is no part of the service's bundle. */
const WORKER = join(packageRoot, import.meta.filename.endsWith('.ts') ? 'src/rendering/typst.worker.ts' : 'dist/rendering/typst.worker.js');

export const TEMPLATES = join(packageRoot, 'templates');
const RENDER_TIMEOUT_MS = 20_000;

/**
 * Renders documents one after the other in a worker thread. Equal (input, template, fonts, engine) give equal bytes. A worker that
 * dies or overruns its time fails the document it had in hand and is replaced; the next one gets a fresh engine.
 */
export class TypstRenderer {
  private worker: Worker | undefined;
  private tail: Promise<unknown> = Promise.resolve();
  private nextId = 1;

  constructor(private readonly options: RendererOptions = {}) {}

  /** Throws RenderError. `createdAt` is the document's creation date, whole seconds of it. */
  render(template: string, input: DocumentInput, createdAt: Date, logos: Logos = {}): Promise<RenderedDocument> {
    const turn = this.tail.then(() => this.inWorker(template, input, createdAt, logos));
    this.tail = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    await this.tail;
    await this.worker?.terminate();
    this.worker = undefined;
  }

  private async inWorker(template: string, input: DocumentInput, createdAt: Date, logos: Logos): Promise<RenderedDocument> {
    const request: RenderRequest = { id: this.nextId++, template, data: input, logos, createdAt: Math.floor(createdAt.getTime() / 1000) };
    const value = await this.exchange((this.worker ??= this.startWorker()), request);
    return { ...value, input: sha256(JSON.stringify(input)), sha256: sha256(value.pdf) };
  }

  private exchange(worker: Worker, request: RenderRequest): Promise<RenderedBytes> {
    return new Promise((resolve, reject) => {
      const timeoutMs = this.options.timeoutMs ?? RENDER_TIMEOUT_MS;
      const timer = setTimeout(() => fail('timeout', `no document after ${timeoutMs} ms`), timeoutMs);
      const settle = () => {
        clearTimeout(timer);
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      };
      const fail = (error: 'timeout' | 'engine', message: string) => {
        settle();
        this.worker = undefined;
        void worker.terminate();
        reject(new RenderError(error, message));
      };
      const onMessage = (reply: RenderReply) => {
        if (reply.id !== request.id) return;
        settle();
        if (reply.ok) resolve(reply.value);
        else reject(new RenderError(reply.error, reply.message));
      };
      const onError = (error: unknown) => fail('engine', error instanceof Error ? error.message : String(error));
      const onExit = (code: number) => fail('engine', `the worker ended with ${code}`);
      worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      worker.postMessage(request);
    });
  }

  private startWorker(): Worker {
    const settings: WorkerSettings = {
      templates: this.options.templates ?? TEMPLATES,
      fonts: this.options.fonts ?? bundledFonts(),
      engineVersion: engineVersion(),
    };
    const worker = new Worker(WORKER, { workerData: settings });
    // Between two documents nobody else listens: an unheard error would end the process, and a dead worker would be asked for the next one.
    worker.on('error', () => undefined);
    worker.on('exit', () => {
      if (this.worker === worker) this.worker = undefined;
    });
    return worker;
  }
}

const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
