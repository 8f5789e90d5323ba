import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { eventually } from '@tidegate/test-harness/eventually';
import { extractText } from 'unpdf';
import type { ReceiptView } from '@tidegate/contracts/responses';
import { STREAMS } from '@tidegate/messaging/topology';
import { type Arena } from './arena.js';

/** Card numbers for planting, put together here so that none stands in a file. */
export const PLANTED_CARDS = [['4242', '4242', '4242', '4242'].join(''), ['5555', '5555', '5555', '4444'].join('')];

interface Secret {
  what: string;
  text: string;
  /** The one kind of place where it may be: the raw deliveries and the stored replies (client_secret). */
  allowedIn?: RegExp;
}

/**
 * Plants card numbers in requests, then reads everything that Tidegate has written (logs, tables, messages, spans, PDFs) and names each
 * secret found and the place. Empty when promise P9 holds.
 */
export async function findSecrets(arena: Arena, traces: string): Promise<string[]> {
  await plant(arena);
  const secrets = await secretsOf(arena);
  const found: string[] = [];
  const scan = (place: string, text: string): void => {
    for (const { what, text: secret, allowedIn } of secrets)
      if (text.includes(secret) && !allowedIn?.test(place)) found.push(`${what} in ${place}`);
  };
  scan('traces', traces);
  scanLogs(arena, scan);
  await scanReceipts(arena, scan);
  await scanTables(arena, scan);
  await scanMessages(arena, scan);
  return found;
}

async function plant(arena: Arena): Promise<void> {
  for (const card of PLANTED_CARDS) {
    const spaced = card.replace(/(\d{4})(?=\d)/g, '$1 ');
    await arena.client.once({
      method: 'POST',
      path: '/v1/payments',
      key: `card-${card}`,
      body: { amount: 4200, currency: 'usd', description: card },
    });
    await arena.client.once({
      method: 'POST',
      path: '/v1/payments',
      key: 'card',
      body: { amount: 4200, currency: 'usd', metadata: { note: spaced } },
    });
    await arena.client.once({ method: 'GET', path: `/v1/payments/${card}` });
    await arena.client.once({ method: 'GET', path: `/v1/payments?customer=${card}` });
  }
}

async function secretsOf(arena: Arena): Promise<Secret[]> {
  const { stack } = arena;
  const answer = await arena.client.send({
    method: 'POST',
    path: '/v1/payments',
    key: `secret-${Date.now()}`,
    body: { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' },
  });
  const { client_secret } = JSON.parse(answer.body) as { client_secret?: string };
  return [
    ...PLANTED_CARDS.map((text) => ({ what: 'a card number', text })),
    ...PLANTED_CARDS.map((card) => ({ what: 'a card number with spaces', text: card.replace(/(\d{4})(?=\d)/g, '$1 ') })),
    { what: 'the Stripe key', text: stack.stripe.secretKey },
    { what: 'the webhook secret', text: stack.stripe.webhookSecret },
    { what: 'an API key', text: stack.keys.default },
    { what: "another tenant's API key", text: stack.keys.other },
    { what: 'a database password', text: new URL(stack.databaseUrl('payments')).password },
    { what: 'a broker password', text: new URL(stack.natsUrl('payments')).password },
    ...(client_secret
      ? [{ what: 'a client_secret', text: client_secret, allowedIn: /^table (webhooks\.stripe_events|payments\.idempotency)/ }]
      : []),
  ];
}

type Scan = (place: string, text: string) => void;

function scanLogs(arena: Arena, scan: Scan): void {
  const folder = join(arena.stack.dir, 'logs');
  for (const name of readdirSync(folder))
    if (statSync(join(folder, name)).isFile()) scan(`log ${name}`, readFileSync(join(folder, name), 'latin1'));
}

async function scanTables(arena: Arena, scan: Scan): Promise<void> {
  const tables = await arena.sql<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  let payloadsRead = false;
  for (const { name } of tables) {
    const rows = await arena.sql<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
    const text = rows.map((r) => r.row).join('\n');
    const bytes = bytesIn(text);
    payloadsRead ||= name.startsWith('webhooks.stripe_events') && bytes.includes('"object": "event"');
    scan(`table ${name}`, `${text}\n${bytes}`);
  }
  if (!payloadsRead) throw new Error('No stored delivery could be read: the scan does not see into bytea columns');
}

/** bytea columns are printed as hex; what they hold is text too. */
const bytesIn = (text: string): string =>
  [...text.matchAll(/\\\\?x([0-9a-f]{8,})/g)].map(([, hex]) => Buffer.from(hex!, 'hex').toString('latin1')).join('\n');

async function scanMessages(arena: Arena, scan: Scan): Promise<void> {
  const url = new URL(arena.stack.natsUrl());
  const nc = await connect({ servers: url.host, user: url.username, pass: url.password });
  try {
    const manager = await jetstreamManager(nc);
    for (const { stream } of STREAMS) {
      const { state } = await manager.streams.info(stream);
      if (state.messages === 0) continue;
      const consumer = await jetstream(nc).consumers.get(stream);
      for await (const message of await consumer.consume()) {
        scan(`message ${message.subject}`, `${message.string()}\n${message.headers?.toString() ?? ''}`);
        if (message.info.pending === 0) break;
      }
    }
  } finally {
    await nc.close();
  }
}

/** The text of a PDF is compressed inside it: it is read as a reader would, and must at least show the receipt's number. */
async function scanReceipts(arena: Arena, scan: Scan): Promise<void> {
  const receipt = await eventually(async () => {
    const rendered = (await arena.client.all<ReceiptView>('/v1/receipts')).find(({ status }) => status === 'rendered');
    if (!rendered) throw new Error('no receipt is rendered yet');
    return rendered;
  });
  const answer = await fetch(`${arena.stack.urls.gateway[0]}/v1/receipts/${receipt.id}/pdf`, {
    headers: { authorization: `Bearer ${arena.stack.keys.default}` },
  });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const raw = Buffer.from(bytes).toString('latin1');
  const { text } = await extractText(bytes, { mergePages: true });
  if (!text.includes(receipt.number)) throw new Error(`The PDF of ${receipt.number} does not show its number: the scan reads nothing`);
  scan(`receipt ${receipt.number}`, `${raw}\n${text}`);
}
