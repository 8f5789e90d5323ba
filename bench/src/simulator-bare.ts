import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';

/**
 * The peer of `bench -- simulator`: what an answer costs with no Stripe behind it. It reads the same forms, keeps the intents in a map
 * and answers with an object of the same size; no validation, no idempotency, no events, no deliveries.
 */
const SAMPLE = JSON.parse(process.env['SAMPLE'] ?? '{}') as Record<string, unknown>;
const intents = new Map<string, Record<string, unknown>>();

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const [, , , known] = (request.url ?? '').split('/');
    const id = known ?? `pi_${randomBytes(12).toString('hex')}`;
    const intent = { ...SAMPLE, ...intents.get(id), id, ...(known ? { status: 'succeeded' } : { amount: Number(form.get('amount')) }) };
    intents.set(id, intent);
    const body = JSON.stringify(intent);
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })));
process.on('SIGTERM', () => process.exit(0));
