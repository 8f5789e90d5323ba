import type { WebhookEndpointsView } from '@tidegate/contracts/ops/webhook-endpoints';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { facts, table } from '../output/table.js';
import { at } from '../output/time.js';

export function webhooksEndpoints(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'endpoints',
    summary: "Stripe's webhook endpoints, and whether what they deliver arrives",
    help: 'Repair one with `tidegate stripe setup`. Exit code 2: an endpoint of ours differs from what is needed, or deliveries do not arrive.',
  }).action(
    cli.run(async (_options: CommonOptions) => {
      const view = await cli.progress('Asking Stripe', () => cli.client.get<WebhookEndpointsView>('/v1/ops/webhook-endpoints'));
      cli.show(view, () => human(cli, view));
      return view.findings.length > 0 || view.endpoints.some((one) => one.drift.length > 0) ? 2 : 0;
    }),
  );
}

function human({ paint }: Cli, { endpoints, last_hour, last_delivery_at, undelivered, findings }: WebhookEndpointsView): string {
  const rows = endpoints.map((one) => [
    ...[one.id, one.url, one.status, one.api_version ?? 'default', one.events, one.ours ? one.secret : null],
    one.ours ? one.drift.map(({ kind }) => kind.replaceAll('_', ' ')).join(', ') || 'fine' : "another program's",
  ]);
  const arrivals = facts([
    ['last hour', `${last_hour.webhook + last_hour.thin} delivered, ${last_hour.sweep} found by the sweep`],
    ['last delivery', at(last_delivery_at)],
    ['undelivered', undelivered === null ? 'Stripe does not say' : `${undelivered.more ? 'more than ' : ''}${undelivered.count}`],
  ]);
  const told = [
    ...findings.map(({ kind, detail }) => `${paint.warn('!')} ${kind.replaceAll('_', ' ')}: ${detail}\n`),
    ...endpoints.flatMap(({ drift }) =>
      drift.map(({ kind, endpoint, detail }) => `${paint.warn('!')} ${kind.replaceAll('_', ' ')} (${endpoint}): ${detail}\n`),
    ),
  ].join('');
  const list =
    rows.length === 0 ? 'Stripe has no endpoint.\n' : table(['ENDPOINT', 'URL', 'STATUS', 'VERSION', 'EVENTS', 'SECRET', 'IT IS'], rows);
  return `${list}\n${arrivals}\n${told || paint.good(last_delivery_at === null ? 'Nothing is wrong, and nothing was delivered within the last day.' : 'Deliveries arrive.')}\n`;
}
