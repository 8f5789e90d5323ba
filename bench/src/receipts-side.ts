/**
 * One side of the benchmark of receipts, in a process of its own: `node receipts-side.js ours|reference`. Each line on stdin asks for so many documents; the answer is a
 * line of JSON with how long they took, on the clock and on the processor, and what is resident after them.
 */
import { createInterface } from 'node:readline';
import type { PaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import { composeDocument } from '@tidegate/receipts/document/compose-document';
import type { ReceiptFacts } from '@tidegate/receipts/document/receipt-facts';
import { TypstRenderer } from '@tidegate/receipts/rendering/typst-renderer';
import { withPdfkit } from './receipts-pdfkit.js';

const details: PaymentDetails = {
  description: 'Order 10442',
  receipt_email: 'ada@example.com',
  locale: 'en',
  customer: null,
  customer_name: 'Ada Lovelace',
  customer_locale: null,
  line_items: [
    { name: 'Ethiopia Yirgacheffe, whole beans, 1 kg', quantity: 12, unit_amount: 2900 },
    { name: 'Ceramic dripper with stand, matte sand', quantity: 1, unit_amount: 4500 },
    { name: 'Filter papers, unbleached, size 02', quantity: 4, unit_amount: 650 },
  ],
};

const side = process.argv[2];
const renderer = new TypstRenderer();
let made = 0;

for await (const line of createInterface(process.stdin)) {
  const [startedAt, before] = [performance.now(), process.cpuUsage()];
  let bytes = 0;
  for (let n = 0; n < Number(line); n += 1) bytes += await one();
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, rss: process.memoryUsage.rss(), bytes: bytes / Number(line) }));
}
await renderer.close();

/** Every document is another one: nothing of it may be remembered from the one before. */
async function one(): Promise<number> {
  const input = composeDocument(factsOf((made += 1)), details);
  if (side === 'reference') return (await withPdfkit(input)).length;
  return (await renderer.render('receipt', input, new Date('2026-11-21T06:00:01.000Z'))).pdf.length;
}

function factsOf(sequence: number): ReceiptFacts {
  return {
    receipt_id: `rcp_${String(sequence).padStart(24, '0')}`,
    number: `R-2026-${String(sequence).padStart(6, '0')}`,
    series: 'R',
    year: 2026,
    sequence,
    kind: 'receipt',
    payment_id: `pay_${String(sequence).padStart(16, '0')}`,
    amount: 41_435 + sequence,
    currency: 'usd',
    issued_at: '2026-11-21T06:00:01.000Z',
    tenant: 'default',
    zone: 'Europe/Dublin',
    locale: 'en',
    seller: { name: 'Harbour & Lane Coffee Roasters', legal_lines: ['12 Quayside, Dublin 2, Ireland'], tax_ids: ['IE1234567X'] },
    card: { brand: 'visa', last4: '4242' },
    livemode: true,
    template: 'receipt',
  };
}
