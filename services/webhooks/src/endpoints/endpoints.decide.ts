import type { WebhookEndpointsView, WebhookEndpointView } from '@tidegate/contracts/ops/webhook-endpoints';
import { type Endpoint, FINGERPRINT_KEY, planSetup, type Wanted } from '../stripe-setup/setup.decide.js';

/** Where the webhooks service takes deliveries, on whatever host Stripe reaches it. */
const OUR_PATH = '/webhooks/stripe';

/** Stripe's endpoints, each with how it differs from what is wanted; those of other programs are shown and not judged. */
export function judgeEndpoints(all: readonly Endpoint[], wanted: Omit<Wanted, 'url'>): WebhookEndpointView[] {
  const plans = new Map<string, ReturnType<typeof planSetup>>();
  for (const { url } of all.filter(isOurs)) if (!plans.has(url)) plans.set(url, planSetup(all, { ...wanted, url }));
  return all.map((endpoint) => {
    const plan = isOurs(endpoint) ? plans.get(endpoint.url) : undefined;
    return {
      id: endpoint.id,
      url: endpoint.url,
      status: endpoint.status,
      api_version: endpoint.api_version,
      events: endpoint.enabled_events.length,
      secret: plan?.endpoints.find((one) => one.id === endpoint.id)?.secret ?? 'unverified',
      ours: plan !== undefined,
      drift: plan?.drift.filter((one) => one.endpoint === endpoint.id) ?? [],
    };
  });
}

function isOurs({ url, metadata }: Endpoint): boolean {
  return metadata[FINGERPRINT_KEY] !== undefined || new URL(url).pathname.replace(/\/+$/, '') === OUR_PATH;
}

export interface Arrivals {
  lastHour: WebhookEndpointsView['last_hour'];
  undelivered: WebhookEndpointsView['undelivered'];
  sweepEverySeconds: number;
}

/** What is wrong with deliveries as a whole, worst first. */
export function findingsOf(endpoints: readonly WebhookEndpointView[], arrivals: Arrivals): WebhookEndpointsView['findings'] {
  const { lastHour, undelivered, sweepEverySeconds } = arrivals;
  const bySweep = `the sweep finds every event within ${sweepEverySeconds} s`;
  const working = endpoints.some((one) => one.ours && one.status === 'enabled');
  const findings: WebhookEndpointsView['findings'] = [];
  if (!working) findings.push({ kind: 'silent', detail: `No enabled endpoint of Stripe delivers to Tidegate; ${bySweep}` });
  else if (lastHour.sweep > 0 && lastHour.webhook + lastHour.thin === 0)
    findings.push({
      kind: 'not_arriving',
      detail: `${lastHour.sweep} events of the last hour came by the sweep and none by delivery: Stripe cannot reach the endpoint, or its signatures are refused`,
    });
  if (undelivered && undelivered.count > 0)
    findings.push({
      kind: 'undelivered',
      detail: `Stripe waits for a 2xx to ${undelivered.more ? 'more than ' : ''}${undelivered.count} events of the last hour; ${bySweep}`,
    });
  return findings;
}
