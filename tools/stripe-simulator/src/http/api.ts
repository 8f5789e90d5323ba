import { createHash } from 'node:crypto';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type FaultSpec } from '../faults/fault.js';
import { type KeyRecord } from '../idempotency/idempotency-keys.js';
import { expanderOf } from '../lookup.js';
import { routes } from '../routes.js';
import { type World } from '../world.js';
import { type Answer, jsonAnswer } from './answer.js';
import { authenticate } from './auth.js';
import { readBody } from './body.js';
import { StripeError, invalidParam } from './errors.js';
import { type Outcome, execute, failed } from './execute.js';
import { type Expander } from './expand.js';
import { faultAnswer } from './fault-answers.js';
import { decodeForm } from './form.js';
import { type RequestEntry } from './request-log.js';
import { Router } from './router.js';
import { sleep } from './sleep.js';
import { cutBody, reset, send } from './transport.js';
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

/** An answer and what to do when it has left (finishing an idempotency key). */
interface Finished {
  readonly answer: Answer;
  readonly settle: () => void;
}

const NOTHING = (): void => undefined;

/** The API under `/v1`: log, faults, authentication, idempotency, execution, answer. */
export class Api {
  private readonly router = new Router(routes);
  private readonly expander: Expander;

  constructor(private readonly world: World) {
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
    const { answer, settle } = this.answer(incoming, body, fault);
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
    const key = method === 'POST' && typeof header === 'string' && header !== '' ? header : undefined;
    const entry = this.world.requests.add({
      id: this.world.ids.next('req'),
      method,
      path,
      idempotency_key: key ?? null,
      status: null,
      at: new Date().toISOString(),
    });
    return { method, path, query: mark === -1 ? '' : url.slice(mark + 1), entry, key, request, response };
  }

  private answer(incoming: Incoming, body: string | undefined, fault: FaultSpec | undefined): Finished {
    const { request, key } = incoming;
    const forced = fault && faultAnswer(fault, { authorization: request.headers.authorization, key });
    if (forced !== undefined) return { answer: { ...forced, headers: { ...this.headers(incoming), ...forced.headers } }, settle: NOTHING };
    try {
      authenticate(request.headers.authorization, this.world.settings.apiKeys);
      return this.run(incoming, body, fault);
    } catch (error) {
      if (!(error instanceof StripeError)) throw error;
      return { answer: this.render(incoming, failed(error)), settle: NOTHING };
    }
  }

  private run(incoming: Incoming, body: string | undefined, fault: FaultSpec | undefined): Finished {
    const { method, path, entry, key } = incoming;
    const found = this.router.find(method, path);
    if (found === undefined) throw unrecognized(method, path);
    if (body === undefined) throw invalidParam('The request body is too large.');
    if (incoming.request.headers['content-type']?.startsWith('application/json')) throw invalidParam(NOT_A_FORM);
    const apiVersion = checkedVersion(header(incoming, 'stripe-version'), this.world.settings.accountApiVersion);
    const text = incoming.query === '' ? body : body === '' ? incoming.query : `${incoming.query}&${body}`;
    const claimed =
      key === undefined ? undefined : this.world.idempotency.claim({ key, path, fingerprint: fingerprint(text), requestId: entry.id });
    if (claimed !== undefined && 'replay' in claimed) return { answer: this.replay(incoming, claimed.replay), settle: NOTHING };
    const record = claimed?.claimed;
    try {
      const cause = { requestId: entry.id, idempotencyKey: key ?? null, silent: false, operation: `${method} ${path}` };
      const outcome = execute(this.world, this.expander, { found, form: decodeForm(text), cause, apiVersion, key: record, fault });
      this.world.selfCheck?.answer(found.route.operation, outcome.status, outcome.value, found.route.returns);
      return { answer: this.render(incoming, outcome), settle: () => this.keep(record, outcome) };
    } catch (error) {
      if (record !== undefined) this.world.idempotency.release(record);
      throw error;
    }
  }

  private keep(record: KeyRecord | undefined, outcome: Outcome): void {
    if (record === undefined) return;
    if (outcome.stored) this.world.idempotency.store(record, { status: outcome.status, value: outcome.value });
    else this.world.idempotency.release(record);
  }

  private replay(incoming: Incoming, record: KeyRecord): Answer {
    const { status = 500, value } = record.answer ?? {};
    const headers = { ...this.headers(incoming), 'Original-Request': record.requestId, 'Idempotent-Replayed': 'true' };
    return jsonAnswer(status, value, headers);
  }

  private render(incoming: Incoming, outcome: Outcome): Answer {
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

const NOT_A_FORM =
  'Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any questions, we can help at https://support.stripe.com/.';

function header({ request }: Incoming, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Order of parameters does not matter: the CLI sends them in a different order each time. */
function fingerprint(text: string): string {
  return createHash('sha1').update(text.split('&').sort().join('&')).digest('base64');
}

function unrecognized(method: string, path: string): StripeError {
  const message = `Unrecognized request URL (${method}: ${path}).`;
  return new StripeError(404, { type: 'invalid_request_error', message }, false);
}
