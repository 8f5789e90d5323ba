import { randomUUID } from 'node:crypto';
import type { Problem } from '@tidegate/contracts/problem';
import { Failure } from '../exit.js';
import type { Settings } from '../settings/settings.js';

/** Longer than the gateway waits for the services behind it. */
const ANSWER_MS = 30_000;
const PAGE = 100;

export interface Page<Row> {
  data: Row[];
  has_more: boolean;
  next_cursor: string | null;
}

type Query = Readonly<Record<string, string | number | undefined>>;

/** The REST interface as a command sees it. Every failure is thrown as one sentence. */
export class RestClient {
  constructor(private readonly settings: Settings) {}

  get url(): string {
    return this.settings.url;
  }

  /** The public part of the key that is used. */
  get keyId(): string | null {
    return /^tg_(?:test|live)_([0-9A-Za-z]{12})_/.exec(this.settings.key)?.[1] ?? null;
  }

  async get<Body>(path: string, query: Query = {}): Promise<Body> {
    const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    );
    const search = new URLSearchParams(given).toString();
    return this.#json<Body>('GET', search === '' ? path : `${path}?${search}`);
  }

  async post<Body>(path: string, body: object): Promise<Body> {
    return this.#json<Body>('POST', path, body);
  }

  /** A POST of those that need an Idempotency-Key: this run of the command is one intention. */
  async command<Body>(path: string, body: object): Promise<Body> {
    return this.#json<Body>('POST', path, body, { 'idempotency-key': `tidegate-${randomUUID()}` });
  }

  /** The first `most` rows of a list, over as many pages as it takes. */
  async list<Row>(path: string, query: Query, most: number): Promise<{ data: Row[]; has_more: boolean }> {
    const data: Row[] = [];
    let cursor: string | undefined;
    for (;;) {
      const page = await this.get<Page<Row>>(path, { ...query, limit: Math.min(PAGE, most - data.length), cursor });
      data.push(...page.data);
      if (!page.has_more || page.next_cursor === null || data.length >= most) return { data, has_more: page.has_more };
      cursor = page.next_cursor;
    }
  }

  /** A text in pages, joined: where there is another one, `Tidegate-Next-Cursor` names it. */
  async text(path: string): Promise<string> {
    let whole = '';
    for (let cursor: string | null = ''; cursor !== null;) {
      const { ok, status, text, next } = await this.#send(
        'GET',
        cursor === '' ? path : `${path}?cursor=${encodeURIComponent(cursor)}`,
        undefined,
        {},
      );
      if (!ok) throw this.#refused(status, parse(text), 'GET');
      whole += text;
      cursor = next;
    }
    return whole;
  }

  async #json<Body>(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Body> {
    const { ok, status, text } = await this.#send(method, path, body, headers);
    const parsed = parse(text);
    if (ok && parsed !== undefined) return parsed as Body;
    throw this.#refused(status, parsed, method);
  }

  /** The whole answer. */
  async #send(method: string, path: string, body: object | undefined, headers: Record<string, string>) {
    try {
      const answer = await fetch(`${this.settings.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.settings.key}`, ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
        ...(body ? { body: JSON.stringify(body) } : {}),
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      return { ok: answer.ok, status: answer.status, text: await answer.text(), next: answer.headers.get('tidegate-next-cursor') };
    } catch (error) {
      throw new Failure(
        'gateway.away',
        `The gateway at ${this.settings.url} does not answer (${causeOf(error)}). Is it running? Its address comes from ${this.settings.from}.` +
          (method === 'POST' ? ' If the request reached it, it was done all the same: look before you repeat it.' : ''),
      );
    }
  }

  #refused(status: number, parsed: unknown, method: string): Failure {
    const { code, title, detail, errors: [first] = [], request_id: id } = (parsed ?? {}) as Partial<Problem>;
    if (code === undefined)
      return new Failure(
        'gateway.strange',
        `${this.settings.url} answered ${status}, but not as a Tidegate gateway does. Is TIDEGATE_URL right?`,
        status,
      );
    if (code === 'auth.invalid' || code === 'auth.missing')
      return new Failure(
        code,
        `The gateway does not know the API key from ${this.settings.from}: it is wrong, revoked or expired.`,
        status,
      );
    if (code === 'auth.forbidden')
      return new Failure(code, `The API key from ${this.settings.from} is not allowed to do this. ${detail ?? ''}`.trim(), status);
    if (status >= 500) return new Failure(code, `${unanswered(method, title ?? code, detail ?? '')} (request ${id})`, status);
    // Services leave what is wrong to the list of errors; the gateway has the first of them in its sentence, too.
    const told = first && !detail?.includes(first.message) ? `${first.path ? `${first.path}: ` : ''}${first.message}.` : detail;
    return new Failure(code, `${title ?? code}: ${told ?? ''}`, status);
  }
}

/** A client of the interface has a key to try again with; whoever runs a command has none, and looks first. */
function unanswered(method: string, title: string, detail: string): string {
  const [what = ''] = title.split(';');
  const why = detail.replace(/ Try again( later)? with the same key\.$/, '');
  const unknown = / ?[:,;] the outcome is unknown/;
  const told = (why.startsWith(what) ? why : `${what}: ${why}`).replace(unknown, '');
  const mayBeDone = method !== 'GET' && unknown.test(`${title} ${why}`) && !why.includes('nothing was done');
  return mayBeDone ? `${told} It may have been done all the same: look before you repeat it.` : told;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function causeOf(error: unknown): string {
  if ((error as Error).name === 'TimeoutError') return `nothing within ${ANSWER_MS / 1000} s`;
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  return cause?.code ?? cause?.message ?? (error as Error).message;
}
