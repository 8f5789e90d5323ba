import { createHash } from 'node:crypto';
import type { PaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import { PNG } from 'pngjs';
import type { ComposedWith } from '../src/document/compose-document.js';
import { untouched } from '../src/document/payment-standing.js';
import type { ReceiptFacts } from '../src/document/receipt-facts.js';
import { someDetails, someFacts } from './receipt-facts.js';

/** Documents that were looked at by somebody: their pages are kept as pictures in `references/`, where README.md says what was judged. */
export interface Sample {
  name: string;
  facts: ReceiptFacts;
  details: PaymentDetails;
  with: ComposedWith;
  logos: Record<string, Uint8Array>;
}

/** A wave in a disc, as a PNG that needs no file. */
const logo = aLogo(240);
const logoHash = createHash('sha256').update(logo).digest('hex');
const verification = { token: 'v1example', url: 'https://pay.example.com/verify/Zk3v9QxT1mB7rL0aYw' };
const asIssued: ComposedWith = { standing: untouched, voidedAt: null };

const harbour = {
  name: 'Harbour & Lane Coffee Roasters',
  legal_lines: ['12 Quayside, Dublin 2, Ireland', 'Registered in Ireland No. 481516'],
  tax_ids: ['IE1234567X'],
  accent: '#0b6e75',
  logo: logoHash,
};

const sample = (
  name: string,
  facts: Partial<ReceiptFacts>,
  details: Partial<PaymentDetails>,
  state: Partial<ComposedWith> = {},
): Sample => ({
  name,
  facts: someFacts({ livemode: true, seller: harbour, verification, ...facts }),
  details: someDetails(details),
  with: { ...asIssued, ...state },
  logos: { [logoHash]: logo },
});

const english: Partial<PaymentDetails> = {
  receipt_email: 'ada.lovelace@example.com',
  customer_name: 'Ada Lovelace',
  description: 'Order 10442',
  line_items: [
    { name: 'Ethiopia Yirgacheffe, whole beans, 1 kg', quantity: 12, unit_amount: 2900, discount_amount: 1500 },
    { name: 'Ceramic dripper with stand, matte sand', quantity: 1, unit_amount: 4500, tax_amount: 1035 },
    { name: 'Filter papers, unbleached, size 02, 100 sheets', quantity: 4, unit_amount: 650 },
  ],
};

export const samples: readonly Sample[] = [
  sample('en', { amount: 41435 }, english),
  sample(
    'de',
    {
      currency: 'eur',
      amount: 128450,
      locale: 'de',
      zone: 'Europe/Berlin',
      seller: {
        ...harbour,
        name: 'Hafenrösterei Nordlicht GmbH',
        legal_lines: ['Am Kai 12, 20457 Hamburg', 'Amtsgericht Hamburg, HRB 123456'],
        tax_ids: ['DE123456789'],
        accent: '#1d4f91',
        logo: null,
      },
    },
    {
      locale: 'de-DE',
      customer_name: 'Jürgen Weiß',
      receipt_email: 'juergen.weiss@example.de',
      line_items: [
        { name: 'Siebträgermaschine „Nordwind“ mit Zweikreiser und Mahlwerk', quantity: 1, unit_amount: 114900, tax_amount: 1900 },
        {
          name: 'Donaudampfschifffahrtsgesellschaftskapitänsmützenhalterung aus Edelstahl',
          quantity: 2,
          unit_amount: 6500,
          discount_amount: 1350,
        },
      ],
    },
  ),
  sample(
    'fr',
    {
      currency: 'eur',
      amount: 8490,
      zone: 'Europe/Paris',
      seller: {
        ...harbour,
        name: 'Maison Brûlerie du Port',
        legal_lines: ['3 quai des Chartrons, 33000 Bordeaux', 'SIRET 123 456 789 00012'],
        tax_ids: ['FR12345678901'],
        accent: '#7a2e4d',
      },
    },
    {
      locale: 'fr-FR',
      customer_name: 'Zoé Lefèvre',
      line_items: [
        { name: 'Café de spécialité « Été à Bordeaux », grains, 500 g', quantity: 3, unit_amount: 1830 },
        { name: 'Αθήνα — χαρμάνι εσπρέσο', quantity: 1, unit_amount: 1500 },
        { name: 'Кофе «Северное сияние»', quantity: 1, unit_amount: 1500 },
      ],
    },
  ),
  sample(
    'ja',
    {
      currency: 'jpy',
      amount: 16830,
      zone: 'Asia/Tokyo',
      locale: 'ja',
      seller: {
        ...harbour,
        name: '港町珈琲焙煎所 株式会社',
        legal_lines: ['〒231-0001 神奈川県横浜市中区新港一丁目1番1号'],
        tax_ids: ['T1234567890123'],
        accent: '#8a3324',
      },
    },
    {
      customer_name: '髙橋 さくら 様',
      description: '珈琲豆代として',
      line_items: [
        { name: 'エチオピア イルガチェフェ 浅煎り 豆のまま 1kg', quantity: 3, unit_amount: 4600, tax_amount: 1530 },
        { name: '陶器ドリッパー（砂色・台付き）', quantity: 1, unit_amount: 1500 },
      ],
    },
  ),
  sample(
    'ar',
    {
      currency: 'kwd',
      amount: 48750,
      zone: 'Asia/Kuwait',
      locale: 'ar',
      seller: {
        ...harbour,
        name: 'محمصة الميناء للقهوة',
        legal_lines: ['شارع الخليج العربي، مدينة الكويت', 'سجل تجاري 123456'],
        tax_ids: ['KW100200300'],
        accent: '#5b3a8c',
      },
    },
    {
      customer_name: 'نورة العتيبي',
      receipt_email: 'noura@example.com',
      line_items: [
        { name: 'قهوة إثيوبية مختصة، حبوب كاملة، كيلوغرام واحد', quantity: 4, unit_amount: 9500, discount_amount: 1750 },
        { name: 'Ceramic dripper V60 أبيض', quantity: 1, unit_amount: 12500 },
      ],
    },
  ),
  sample(
    'credit-note',
    {
      kind: 'credit_note',
      series: 'CN',
      number: 'CN-2026-000003',
      receipt_id: 'rcp_c0ffee00c0ffee00c0ffee00',
      amount: 4500,
      refers_to: { receipt_id: 'rcp_4f1c2b7a9d3e5f604f1c2b7a', number: 'R-2026-000042' },
      refund: { id: 'rfd_9d3e5f604f1c2b7a' },
    },
    english,
    { voidedAt: '2026-11-24T10:00:00.000Z' },
  ),
  sample(
    'refunded-and-disputed',
    { amount: 41435, livemode: false },
    { ...english, line_items: [] },
    { standing: { refunded: 4500, dispute: 'open' }, voidedAt: null },
  ),
  sample(
    'long',
    { amount: 2_034_234 },
    {
      ...english,
      line_items: Array.from({ length: 200 }, (_, n) => ({
        name:
          n % 9 === 4
            ? `Lot ${n + 1}, single estate, washed, a selection of small harvests packed for the winter in tins of 250 g`
            : `Lot ${n + 1}, whole beans, 250 g`,
        quantity: 1 + (n % 3),
        unit_amount: 5000 + n,
        ...(n === 150 ? { discount_amount: 500 } : {}),
      })),
    },
  ),
];

function aLogo(size: number): Buffer {
  const png = new PNG({ width: size, height: size });
  const middle = (size - 1) / 2;
  for (let y = 0; y < size; y += 1)
    for (let x = 0; x < size; x += 1) {
      const inside = Math.hypot(x - middle, y - middle) < middle;
      const wave = Math.abs(y - middle - Math.sin((x / size) * Math.PI * 4) * size * 0.09) < size * 0.06;
      png.data.set(wave ? [255, 255, 255, inside ? 255 : 0] : [11, 110, 117, inside ? 255 : 0], (y * size + x) * 4);
    }
  return PNG.sync.write(png);
}
