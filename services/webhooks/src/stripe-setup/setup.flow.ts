import { createHash } from 'node:crypto';
import { HANDLED_EVENT_TYPES } from '@tidegate/contracts/handled-event-types';
import type { EndpointAction, StripeSetupDoneView, StripeSetupView } from '@tidegate/contracts/ops/stripe-setup';
import { recordOperatorAction } from '@tidegate/database/operator-action';
import { fingerprintOf } from '@tidegate/service-host/secret';
import { API_VERSION } from '@tidegate/stripe-gateway/adapter';
import type { StripeFailure } from '@tidegate/stripe-gateway/outcome';
import type { WebhookEndpoints } from '@tidegate/stripe-gateway/webhook-endpoints';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely } from 'kysely';
import type { WebhooksTables } from '../tables.js';
import { FINGERPRINT_KEY, planSetup } from './setup.decide.js';

export interface SetupDeps {
  db: Kysely<WebhooksTables>;
  endpoints: WebhookEndpoints;
  /** The signing secrets that deliveries are checked with. */
  secrets(): readonly string[];
  clock: { now(): Date };
  logger: Logger;
}

export type Result<T> = { kind: 'ok'; value: T } | { kind: 'stripe'; failure: StripeFailure };

/** How Stripe's endpoints of this URL stand. */
export async function lookAtSetup(deps: SetupDeps, url: string): Promise<Result<StripeSetupView>> {
  const found = await deps.endpoints.list();
  if (found.kind !== 'ok') return { kind: 'stripe', failure: found };
  const wanted = { url, api_version: API_VERSION, events: HANDLED_EVENT_TYPES, secrets: deps.secrets().map(fingerprintOf) };
  return {
    kind: 'ok',
    value: { object: 'stripe_setup', url, api_version: API_VERSION, events: [...HANDLED_EVENT_TYPES], ...planSetup(found.value, wanted) },
  };
}

/** Repairs what can be repaired. Who asked and why is committed before anything is done at Stripe; it can be asked again after any failure. */
export async function setUp(deps: SetupDeps, url: string, by: { actor: string; reason: string }): Promise<Result<StripeSetupDoneView>> {
  const before = await lookAtSetup(deps, url);
  if (before.kind !== 'ok') return before;
  const { actions } = before.value;
  if (actions.length > 0) {
    const action = { ...by, action: 'stripe.setup', target: url, details: { actions } };
    await recordOperatorAction(deps.db, action, deps.clock.now());
    deps.logger.info({ event: 'operator_action', ...action }, 'The webhook endpoint is set up');
  }
  let created: StripeSetupDoneView['created'] = null;
  const done: EndpointAction[] = [];
  for (const action of actions) {
    const performed = await perform(deps, before.value, action);
    if (performed.kind !== 'ok' && created === null) return performed;
    if (performed.kind !== 'ok') break;
    done.push(action);
    created ??= performed.value;
  }
  const now = await lookAtSetup(deps, url);
  // Stripe tells a new secret once: whatever fails after that, it is passed on, with how things stood before.
  if (now.kind !== 'ok' && created === null) return now;
  return { kind: 'ok', value: { object: 'stripe_setup_done', done, created, now: now.kind === 'ok' ? now.value : before.value } };
}

async function perform(
  { endpoints }: SetupDeps,
  view: StripeSetupView,
  action: EndpointAction,
): Promise<Result<StripeSetupDoneView['created']>> {
  if (action.kind === 'create') return create(endpoints, view);
  const change = action.kind === 'disable' ? { disabled: true } : { disabled: false, events: view.events };
  const updated = await endpoints.update(action.endpoint, change);
  return updated.kind === 'ok' ? { kind: 'ok', value: null } : { kind: 'stripe', failure: updated };
}

async function create(endpoints: WebhookEndpoints, view: StripeSetupView): Promise<Result<StripeSetupDoneView['created']>> {
  for (const deleted: string[] = []; ;) {
    const made = await endpoints.create({ url: view.url, events: view.events, description: 'Tidegate' }, keyFor(view, deleted));
    if (made.kind !== 'ok') return { kind: 'stripe', failure: made };
    const { id, secret } = made.value;
    const fingerprint = fingerprintOf(secret);
    // Should this fail, the endpoint works all the same: only, nobody can tell later whether its secret is in use.
    const marked = await endpoints.update(id, { metadata: { [FINGERPRINT_KEY]: fingerprint } });
    // The answer was that of an endpoint which was made in this state of things before, and deleted since: Stripe gives it for a day.
    const isGone = marked.kind === 'not_found' && !deleted.includes(id);
    if (!isGone) return { kind: 'ok', value: { id, secret, fingerprint } };
    deleted.push(id);
  }
}

/** The same for the same state of things, so that a lost answer, and the secret in it, comes again. */
function keyFor({ url, api_version, endpoints }: StripeSetupView, deleted: readonly string[]): string {
  const state = JSON.stringify([url, api_version, endpoints.map(({ id }) => id).sort(), ...deleted]);
  return `stripe-setup:${createHash('sha256').update(state).digest('hex').slice(0, 32)}`;
}
