import type { EndpointAction, EndpointDrift, StripeSetupView } from '@tidegate/contracts/ops/stripe-setup';

/** A webhook endpoint as Stripe has it, as far as it matters here. */
export interface Endpoint {
  id: string;
  url: string;
  status: string;
  api_version: string | null;
  enabled_events: readonly string[];
  metadata: Readonly<Record<string, string>>;
  created: number;
}

export interface Wanted {
  url: string;
  api_version: string;
  events: readonly string[];
  /** Fingerprints of the signing secrets that the service accepts. */
  secrets: readonly string[];
}

/** Where an endpoint that we made keeps the fingerprint of its signing secret, which Stripe shows only when it is made. */
export const FINGERPRINT_KEY = 'tidegate_secret';

type Shown = StripeSetupView['endpoints'][number];

/**
 * How the endpoints of a URL differ from what is wanted, and what repairs it. The version cannot be changed, so another one needs a new endpoint; the old one
 * goes on until the service is known to accept the new one's secret: two enabled endpoints deliver everything twice, which is harmless, and none loses hours.
 */
export function planSetup(all: readonly Endpoint[], wanted: Wanted): Pick<StripeSetupView, 'endpoints' | 'drift' | 'actions'> {
  const ours = all.filter((one) => sameUrl(one.url, wanted.url));
  const secretOf = (one: Endpoint) => secretState(one, wanted);
  const [kept] = ours
    .filter((one) => one.api_version === wanted.api_version)
    .sort((a, b) => rank(b, secretOf(b)) - rank(a, secretOf(a)) || b.created - a.created);
  const others = ours.filter((one) => one !== kept && one.status === 'enabled');
  const plans = kept
    ? [...repairs(kept, secretOf(kept), wanted), ...retirements(others, kept, secretOf(kept), wanted)]
    : creation(others, wanted);
  return {
    endpoints: ours.map((one) => ({
      id: one.id,
      status: one.status,
      api_version: one.api_version,
      events: [...one.enabled_events],
      secret: secretOf(one),
    })),
    drift: plans.map(({ drift }) => drift),
    actions: plans.flatMap(({ action }) => (action ? [action] : [])),
  };
}

interface Plan {
  drift: EndpointDrift;
  action?: EndpointAction;
}

function creation(old: readonly Endpoint[], { url, api_version, events }: Wanted): Plan[] {
  const detail = `register ${url} at ${api_version} with ${events.length} event types`;
  const [first] = old;
  if (!first)
    return [
      { drift: { kind: 'missing', endpoint: null, detail: `Stripe delivers nothing to ${url}` }, action: { kind: 'create', detail } },
    ];
  const drift: EndpointDrift = {
    kind: 'api_version',
    endpoint: first.id,
    detail: `it delivers in ${first.api_version ?? "the account's default version"}, not ${api_version}; that can only be chosen for a new endpoint`,
  };
  return [{ drift, action: { kind: 'create', detail } }];
}

function repairs(kept: Endpoint, secret: Shown['secret'], { events }: Wanted): Plan[] {
  const missing = events.filter((type) => !kept.enabled_events.includes(type));
  const surplus = kept.enabled_events.filter((type) => !events.includes(type));
  const plans: Plan[] = [];
  if (kept.status !== 'enabled') {
    plans.push({
      drift: { kind: 'disabled', endpoint: kept.id, detail: 'Stripe delivers nothing to it' },
      action: { kind: 'update', endpoint: kept.id, detail: `enable ${kept.id}` },
    });
  }
  if (missing.length + surplus.length > 0) {
    const found = kept.enabled_events.includes('*')
      ? `Stripe delivers every type to it, not the ${events.length} that are handled`
      : `types missing: ${missing.length}, types that are not handled: ${surplus.length}`;
    const detail = [...missing.map((type) => `+${type}`), ...surplus.map((type) => `-${type}`)].join(' ');
    plans.push({
      drift: { kind: 'events', endpoint: kept.id, detail: found },
      action: { kind: 'update', endpoint: kept.id, detail: `set the event types of ${kept.id}: ${detail}` },
    });
  }
  if (secret === 'unused')
    plans.push({
      drift: {
        kind: 'secret_unused',
        endpoint: kept.id,
        detail: 'its signing secret is not in STRIPE_WEBHOOK_SECRET: every delivery is refused',
      },
    });
  return plans;
}

function retirements(others: readonly Endpoint[], kept: Endpoint, secret: Shown['secret'], { api_version }: Wanted): Plan[] {
  return others.map((one) => {
    const detail =
      one.api_version === api_version
        ? 'it delivers what another endpoint delivers, too'
        : `it delivers in ${one.api_version ?? "the account's version"}`;
    const drift: EndpointDrift = { kind: 'duplicate', endpoint: one.id, detail };
    if (secret === 'used')
      return { drift, action: { kind: 'disable', endpoint: one.id, detail: `disable ${one.id}, which ${kept.id} replaces` } };
    return { drift: { ...drift, detail: `${detail}; it stays until the service uses the signing secret of ${kept.id}` } };
  });
}

function secretState({ metadata }: Endpoint, { secrets }: Wanted): Shown['secret'] {
  const fingerprint = metadata[FINGERPRINT_KEY];
  if (fingerprint === undefined) return 'unverified';
  return secrets.includes(fingerprint) ? 'used' : 'unused';
}

/** Which endpoint of the right version to keep: one that works, then one that is on. */
const rank = (one: Endpoint, secret: Shown['secret']): number =>
  (secret === 'used' ? 4 : secret === 'unverified' ? 2 : 0) + (one.status === 'enabled' ? 1 : 0);

const sameUrl = (a: string, b: string): boolean => a.replace(/\/+$/, '') === b.replace(/\/+$/, '');
