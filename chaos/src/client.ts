import { Agent, request } from 'undici';

/** One HTTP exchange as the client saw it; `status` 0 means that no answer came (connection refused, reset, or timed out). */
export interface Answer {
  status: number;
  body: string;
  headers: Record<string, string | string[] | undefined>;
}

export interface Call {
  method: 'GET' | 'POST';
  path: string;
  body?: unknown;
  key?: string;
  headers?: Record<string, string>;
}

const RETRIED = new Set([0, 409, 429, 503]);

/**
 * A client as Tidegate's users are told to write it: one Idempotency-Key per intention, kept over every retry, and retries on 409, 429,
 * 503 and lost connections. It spreads its calls over all gateways and remembers every status it was given.
 */
export class Client {
  readonly statuses: number[] = [];
  /** Requests that got no answer or one of 5xx, with its code. */
  readonly failures: string[] = [];
  /** Why no answer came, for each status 0. */
  readonly lost: string[] = [];
  private turn = 0;
  private urls: readonly string[];
  private readonly agent = new Agent({ connections: 64, bodyTimeout: 30_000, headersTimeout: 30_000, keepAliveTimeout: 1_000 });

  constructor(
    urls: readonly string[],
    private readonly apiKey: string,
  ) {
    this.urls = urls;
  }

  /** From now on calls go to these gateways only, as behind a load balancer that has seen one leave. */
  useOnly(urls: readonly string[]): void {
    this.urls = urls;
  }

  /** One attempt at one gateway. Never throws. */
  async once(call: Call): Promise<Answer> {
    const base = this.urls[this.turn++ % this.urls.length]!;
    const answer = await request(`${base}${call.path}`, {
      method: call.method,
      reset: true,
      dispatcher: this.agent,
      headers: {
        authorization: `Bearer ${this.apiKey}`,
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(call.key ? { 'idempotency-key': call.key } : {}),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    })
      .then(async (r): Promise<Answer> => ({ status: r.statusCode, body: await r.body.text(), headers: r.headers }))
      .catch((error: NodeJS.ErrnoException): Answer => {
        this.lost.push(error.code ?? error.message);
        return { status: 0, body: '', headers: {} };
      });
    this.statuses.push(answer.status);
    if (answer.status === 0 || answer.status >= 500) this.failures.push(`${call.method} ${call.path}: ${answer.status} ${codeOf(answer)}`);
    return answer;
  }

  /** Retries with the same key until the answer is one that ends the matter, at most for `withinMs`. */
  async send(call: Call, withinMs = 40_000): Promise<Answer> {
    const giveUpAt = Date.now() + withinMs;
    for (let pause = 50; ; pause = Math.min(pause * 2, 1_000)) {
      const answer = await this.once(call);
      if (!RETRIED.has(answer.status)) return answer;
      if (Date.now() + pause > giveUpAt) return answer;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async get<T>(path: string): Promise<T> {
    const answer = await this.send({ method: 'GET', path });
    if (answer.status !== 200) throw new Error(`GET ${path} answered ${answer.status}: ${answer.body}`);
    return JSON.parse(answer.body) as T;
  }

  async all<T>(path: string): Promise<T[]> {
    const found: T[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { data: T[]; next_cursor: string | null } = await this.get(
        `${path}${path.includes('?') ? '&' : '?'}limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
      );
      found.push(...page.data);
      cursor = page.next_cursor;
    }
    return found;
  }

  async close(): Promise<void> {
    await this.agent.close();
  }
}

function codeOf({ body }: Answer): string {
  try {
    const { code, detail } = JSON.parse(body) as { code?: string; detail?: string };
    return `${code}: ${detail}`;
  } catch {
    return body.slice(0, 100);
  }
}
