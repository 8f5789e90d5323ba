import { createHash } from 'node:crypto';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type FaultSpec } from '../faults/fault.js';
import { type KeyRecord } from '../idempotency/idempotency-keys.js';
import { lockedObjects } from '../limits/locked-objects.js';
import { expanderOf } from '../lookup.js';
import { routes } from '../routes.js';
import { type World } from '../world.js';
import { type Answer, jsonAnswer } from './answer.js';
import { authenticate } from './auth.js';
import { readBody } from './body.js';
import { dialectOf } from './dialect.js';
import { StripeError, invalidParam } from './errors.js';
import { type Outcome, execute, failed } from './execute.js';
import { type Expander } from './expand.js';
import { faultAnswer } from './fault-answers.js';
import { type FormMap } from './form.js';
import { locked, rateLimited } from './limited.js';
import { type Pulse } from './pulse.js';
import { type RequestEntry } from './request-log.js';
import { type Found, Router } from './router.js';
import { sleep } from './sleep.js';
import { cutBody, reset, send } from './transport.js';
import { shownIn } from './version-words.js';
import { unrecognized } from './unrecognized.js';
import { checkedVersion } from './version.js';

interface Incoming {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly entry: RequestEntry;
  readonly key: string | undefined;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** An answer and what to do when it leaves (finishing an idempotency key, letting go of locks and limits). */
interface Finished {
  readonly answer: Answer;
  readonly settle: () => void;
}

/** A request that is about to be executed. */
interface Admitted {
  readonly found: Found;
  readonly form: FormMap;
  readonly apiVersion: string;
  readonly record: KeyRecord | undefined;
  readonly fault: FaultSpec | undefined;
}

const NOTHING = (): void => undefined;

/** The API: log, faults, authentication, limits, idempotency, locks, execution, answer. */
export class Api {
  private readonly router = new Router(routes);
  private readonly expander: Expander;

  constructor(
    private readonly world: World,
    private readonly pulse: Pulse,
  ) {
    this.expander = expanderOf(world);
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const incoming = this.receive(request, response);
    const fault = this.world.faults.takeHttp(incoming.method, incoming.path);
    if (fault !== undefined) incoming.entry.fault = fault.fault;
    if (fault?.fault === 'refuse' || fault?.fault === 'reset_before') return reset(response);
    const body = await readBody(request);
    if (fault?.fault === 'hang') return this.hang(response, fault);
    if (fault?.fault === 'late_effect') await sleep(fault.ms ?? 1_000);
    const { answer, settle } = await this.answer(incoming, body, fault);
    this.world.selfCheck?.refusal(`${incoming.method} ${incoming.path}`, answer);
    if (fault?.fault === 'slow') await sleep(fault.ms ?? 1_000);
    settle();
    incoming.entry.status = answer.status;
    if (fault?.fault === 'reset_after') return reset(response);
    if (fault?.fault === 'cut_body') return cutBody(response, answer);
    send(response, answer);
  }

  private receive(request: IncomingMessage, response: ServerResponse): Incoming {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark === -1 ? url : url.slice(0, mark);
    const method = request.method ?? 'GET';
    const header = request.headers['idempotency-key'];
    const key = dialectOf(path).keyed.includes(method) && typeof header === 'string' && header !== '' ? header : undefined;
    const { heldSince } = this.pulse;
    const entry = this.world.requests.add({
      id: this.world.ids.next('req'),
      method,
      path,
      idempotency_key: key ?? null,
      status: null,
      at: new Date().toISOString(),
      ...(heldSince === undefined ? {} : { since: new Date(heldSince).toISOString() }),
    });
    return { method, path, query: mark === -1 ? '' : url.slice(mark + 1), entry, key, request, response };
  }

  private async answer(incoming: Incoming, body: string | undefined, fault: FaultSpec | undefined): Promise<Finished> {
    const { request, key } = incoming;
    const forced = fault && faultAnswer(fault, { authorization: request.headers.authorization, key });
    if (forced !== undefined) return { answer: { ...forced, headers: { ...this.headers(incoming), ...forced.headers } }, settle: NOTHING };
    let leave = NOTHING;
    try {
      authenticate(request.headers.authorization, this.world.settings.apiKeys);
      const found = this.router.find(incoming.method, incoming.path);
      if (this.world.limiter !== undefined) leave = this.enter(incoming, found);
      if (found === undefined || found.id === 'search') throw unrecognized(incoming.method, incoming.path);
      const { answer, settle } = await this.run(incoming, found, body, fault);
      return leave === NOTHING ? { answer, settle } : { answer, settle: () => [settle(), leave()] };
    } catch (error) {
      leave();
      if (!(error instanceof StripeError)) throw error;
      return { answer: this.render(incoming, failed(error)), settle: NOTHING };
    }
  }

  /** Throws 429 in front of the idempotency layer. Gives what to call at the end. */
  private enter(incoming: Incoming, found: Found | undefined): () => void {
    const account = header(incoming, 'stripe-account') ?? '';
    const request = { account, operation: found?.route.operation ?? 'unknown', id: found?.id ?? '' };
    const entered = this.world.limiter?.enter(request, Date.now()) ?? { leave: NOTHING };
    if (typeof entered === 'string') throw rateLimited(entered);
    return entered.leave;
  }

  private run(incoming: Incoming, found: Found, body: string | undefined, fault: FaultSpec | undefined): Finished | Promise<Finished> {
    const { path, entry, key } = incoming;
    this.world.scheduler.catchUp();
    if (body === undefined) throw invalidParam('The request body is too large.');
    const { keys, decode } = dialectOf(path);
    const read = { query: incoming.query, body, contentType: header(incoming, 'content-type'), fields: found.fields };
    const apiVersion = checkedVersion(header(incoming, 'stripe-version'), this.world.settings.accountApiVersion);
    const text = incoming.query === '' ? body : body === '' ? incoming.query : `${incoming.query}&${body}`;
    const claimed =
      key === undefined ? undefined : keys(this.world).claim({ key, path, fingerprint: fingerprint(text), requestId: entry.id });
    if (claimed !== undefined && 'replay' in claimed) return { answer: this.replay(incoming, claimed.replay), settle: NOTHING };
    const record = claimed?.claimed;
    const admit = (): Admitted => ({ found, form: decode(read), apiVersion, record, fault });
    return this.releasing(incoming, record, () => this.locking(incoming, admit()));
  }

  /** Frees the key when the request is refused before its execution. */
  private releasing(
    incoming: Incoming,
    record: KeyRecord | undefined,
    work: () => Finished | Promise<Finished>,
  ): Finished | Promise<Finished> {
    const release = (error: unknown): never => {
      if (record !== undefined) dialectOf(incoming.path).keys(this.world).release(record);
      throw error;
    };
    try {
      const finished = work();
      return finished instanceof Promise ? finished.catch(release) : finished;
    } catch (error) {
      return release(error);
    }
  }

  /** Waits for the objects that another request holds; a slow request holds them itself until its answer leaves. */
  private locking(incoming: Incoming, admitted: Admitted): Finished | Promise<Finished> {
    const { locks, settings } = this.world;
    const slow = admitted.fault?.fault === 'slow';
    if (!slow && locks.isIdle()) return this.finish(incoming, admitted);
    const objects = lockedObjects(this.world, incoming.method, admitted.found.id, admitted.form);
    return locks.whenFree(objects, settings.lockWaitMs).then((free) => {
      if (!free) throw locked();
      const release = slow ? locks.hold(objects) : NOTHING;
      const { answer, settle } = this.finish(incoming, admitted);
      return { answer, settle: () => [settle(), release()] };
    });
  }

  private finish(incoming: Incoming, { found, form, apiVersion, record, fault }: Admitted): Finished {
    const cause = {
      requestId: incoming.entry.id,
      idempotencyKey: incoming.key ?? null,
      silent: false,
      operation: `${incoming.method} ${incoming.path}`,
    };
    const outcome = execute(this.world, this.expander, { found, form, cause, apiVersion, key: record, fault });
    this.world.selfCheck?.answer(found.route.operation, outcome.status, outcome.value, found.route.returns);
    const shown = { ...outcome, value: shownIn(apiVersion, outcome.value) };
    return { answer: this.render(incoming, shown), settle: () => this.keep(incoming, record, shown) };
  }

  private keep(incoming: Incoming, record: KeyRecord | undefined, outcome: Outcome): void {
    if (record === undefined) return;
    const { keys, keeps } = dialectOf(incoming.path);
    if (keeps(outcome)) keys(this.world).store(record, { status: outcome.status, value: outcome.value });
    else keys(this.world).release(record);
  }

  private replay(incoming: Incoming, record: KeyRecord): Answer {
    const { status = 500, value } = record.answer ?? {};
    const headers = { ...this.headers(incoming), 'Original-Request': record.requestId, 'Idempotent-Replayed': 'true' };
    return jsonAnswer(status, value, headers);
  }

  private render(incoming: Incoming, executed: Outcome): Answer {
    const outcome = dialectOf(incoming.path).shown(executed);
    const hint: Record<string, string> = incoming.method === 'POST' && outcome.status === 200 ? { 'Stripe-Should-Retry': 'false' } : {};
    return jsonAnswer(outcome.status, outcome.value, { ...this.headers(incoming), ...hint, ...outcome.headers });
  }

  private headers(incoming: Incoming): Record<string, string> {
    const version = header(incoming, 'stripe-version') ?? this.world.settings.accountApiVersion;
    const account = header(incoming, 'stripe-account');
    return {
      'Request-Id': incoming.entry.id,
      'Stripe-Version': version.replace(/[^\w.-]/g, ''),
      ...(incoming.key !== undefined && { 'Idempotency-Key': incoming.key, 'Original-Request': incoming.entry.id }),
      ...(account !== undefined && { 'Stripe-Account': account }),
    };
  }

  /** Never processed: the connection stays open until the client gives up, the faults are cleared, or `ms` have passed. */
  private hang(response: ServerResponse, fault: FaultSpec): void {
    const forget = this.world.faults.onClear(() => reset(response));
    const end = fault.ms === undefined ? undefined : setTimeout(() => reset(response), fault.ms);
    response.on('close', () => {
      clearTimeout(end);
      forget();
    });
  }
}

function header({ request }: Incoming, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Order of parameters does not matter: the CLI sends them in a different order each time. */
function fingerprint(text: string): string {
  return createHash('sha1').update(text.split('&').sort().join('&')).digest('base64');
}
