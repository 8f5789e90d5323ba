import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { StackError } from './stack-error.js';

export interface RestAnswer<Body> {
  body: Body;
  headers: Headers;
}

/** A client of the gateway as its users are told to write one: one Idempotency-Key per intention, and 503 tried again with the same. */
export class RestClient {
  constructor(
    private readonly base: string,
    private readonly apiKey: string,
  ) {}

  async get<Body>(path: string): Promise<RestAnswer<Body>> {
    const answer = await this.send('GET', path, {});
    return { body: (await answer.json()) as Body, headers: answer.headers };
  }

  async post<Body>(path: string, body: unknown): Promise<RestAnswer<Body>> {
    const answer = await this.send('POST', path, {
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': `demonstration-${randomUUID()}` },
      body: JSON.stringify(body),
    });
    return { body: (await answer.json()) as Body, headers: answer.headers };
  }

  async bytes(path: string): Promise<Buffer> {
    return Buffer.from(await (await this.send('GET', path, {})).arrayBuffer());
  }

  private async send(method: string, path: string, init: { headers?: Record<string, string>; body?: string }): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await fetch(`${this.base}${path}`, {
        method,
        ...init,
        headers: { Authorization: `Bearer ${this.apiKey}`, ...init.headers },
        signal: AbortSignal.timeout(30_000),
      });
      if (answer.ok) return answer;
      const text = await answer.text();
      if (answer.status !== 503 || attempt === 10) throw new StackError(`${method} ${path} answered ${answer.status}: ${text.slice(0, 500)}`);
      await delay(500);
    }
  }
}
