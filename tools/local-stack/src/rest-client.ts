import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { StackError } from './stack-error.js';

export interface RestAnswer<Body> {
  body: Body;
  /** The value of a header by its lower-case name; undefined when it is absent. */
  header(name: string): string | undefined;
}

interface Call {
  method: 'GET' | 'POST';
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

/** A client of the gateway as its users are told to write one: one Idempotency-Key per intention, and 503 tried again with the same. */
export class RestClient {
  constructor(
    private readonly base: string,
    private readonly apiKey: string,
  ) {}

  async get<Body>(path: string): Promise<RestAnswer<Body>> {
    return this.json<Body>({ method: 'GET', path });
  }

  async post<Body>(path: string, body: unknown): Promise<RestAnswer<Body>> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': `demonstration-${randomUUID()}` };
    return this.json<Body>({ method: 'POST', path, headers, body: JSON.stringify(body) });
  }

  async bytes(path: string): Promise<Buffer> {
    return (await this.send({ method: 'GET', path })).bytes;
  }

  private async json<Body>(call: Call): Promise<RestAnswer<Body>> {
    const { bytes, header } = await this.send(call);
    return { body: JSON.parse(bytes.toString('utf8')) as Body, header };
  }

  private async send({ method, path, headers = {}, body }: Call): Promise<{ bytes: Buffer; header: RestAnswer<unknown>['header'] }> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await request(`${this.base}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.apiKey}`, ...headers },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(30_000),
      });
      const bytes = Buffer.from(await answer.body.arrayBuffer());
      if (answer.statusCode < 300) return { bytes, header: (name) => answer.headers[name]?.toString() };
      if (answer.statusCode !== 503 || attempt === 10)
        throw new StackError(`${method} ${path} answered ${answer.statusCode}: ${bytes.toString('utf8').slice(0, 500)}`);
      await delay(500);
    }
  }
}
