import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';
import { composeDocument } from '../src/document/compose-document.js';
import { type RenderedDocument, TypstRenderer } from '../src/rendering/typst-renderer.js';
import { inspect, openPdfium, readPages } from './pdf-tools.js';
import { samples } from './sample-receipts.js';

const REFERENCES = join(import.meta.dirname, 'references');
/** Of a long document its first, a middle and its last page are kept. */
const KEPT: Record<string, number[]> = { long: [1, 2, 8] };
/** PDFium draws the same on every machine; this leaves room for a rounding of its antialiasing, not for a moved letter. */
const MOST_DIFFERENT_DOTS = 20;

const made = new Map<string, RenderedDocument>();
const text = new Map<string, string[]>();
const pictures = new Map<string, PNG[]>();
const documentOf = (name: string): RenderedDocument => made.get(name)!;

beforeAll(async () => {
  const renderer = new TypstRenderer();
  const pdfium = await openPdfium();
  for (const { name, facts, details, with: state, logos } of samples) {
    const document = await renderer.render('receipt', composeDocument(facts, details, state), new Date(facts.issued_at), logos);
    made.set(name, document);
    const { texts, drawn } = await readPages(pdfium, document.pdf, KEPT[name]);
    text.set(name, texts);
    pictures.set(name, drawn);
  }
  pdfium.destroy();
  await renderer.close();
}, 60_000);

/** With UPDATE_REFERENCES=1 what is drawn now becomes the reference; look at it before it is committed. */
function compare(file: string, drawn: PNG): number {
  const path = join(REFERENCES, file);
  if (process.env['UPDATE_REFERENCES'] === '1') writeFileSync(path, PNG.sync.write(drawn, { colorType: 2 }));
  if (!existsSync(path)) throw new Error(`${file} is not among the references; make it with UPDATE_REFERENCES=1 and look at it`);
  const reference = PNG.sync.read(readFileSync(path));
  expect([drawn.width, drawn.height]).toEqual([reference.width, reference.height]);
  return pixelmatch(reference.data, drawn.data, undefined, reference.width, reference.height, { threshold: 0.1 });
}

describe('Given documents that somebody looked at', () => {
  it.each(samples.map(({ name }) => name))('looks as it was judged: %s', (name) => {
    const pages = pictures.get(name) ?? [];
    expect(pages).toHaveLength(KEPT[name]?.length ?? 1);
    for (const [at, page] of pages.entries()) {
      const file = KEPT[name] ? `${name}-${KEPT[name][at]}.png` : `${name}.png`;
      expect(compare(file, page)).toBeLessThanOrEqual(MOST_DIFFERENT_DOTS);
    }
  });

  it('has a line for each picture that says what was judged', () => {
    const readme = readFileSync(join(REFERENCES, 'README.md'), 'utf8');
    for (const { name } of samples)
      for (const page of KEPT[name] ?? [null]) expect(readme).toContain(`\`${name}${page === null ? '' : `-${page}`}.png\``);
  });
});

describe('Given documents in five scripts', () => {
  it.each([
    ['Latin', 'en', 'Ethiopia Yirgacheffe'],
    ['Greek', 'fr', 'χαρμάνι εσπρέσο'],
    ['Cyrillic', 'fr', 'Северное сияние'],
    ['Japanese', 'ja', '港町珈琲焙煎所'],
    ['Arabic', 'ar', 'كيلوغرام'],
  ])('has %s as text that can be selected', (_, name, words) => {
    expect(text.get(name)?.[0]).toContain(words);
  });

  it.each([
    ['zero decimals', 'ja', '¥16,830'],
    ['two decimals', 'de', '1.284,50 €'],
    ['three decimals', 'ar', '48.750'],
  ])('writes a currency with %s', (_, name, amount) => {
    expect(text.get(name)?.[0]).toContain(amount);
  });

  it('keeps a code for a page that shows what was issued, and its address beside it', () => {
    expect(text.get('en')?.[0]).toContain('https://pay.example.com/verify/Zk3v9QxT1mB7rL0aYw');
  });
});

describe('Given a receipt over 200 items', () => {
  it('carries the sum of what was listed from page to page', () => {
    const pages = text.get('long') ?? [];
    const carried = pages.map((page) => /Carried forward\s*(\$[\d,.]+)/.exec(page)?.[1]);
    const brought = pages.map((page) => /Brought forward\s*(\$[\d,.]+)/.exec(page)?.[1]);
    expect(pages.length).toBeGreaterThan(5);
    expect(carried.slice(0, -1).every(Boolean)).toBe(true);
    expect(brought.slice(1)).toEqual(carried.slice(0, -1));
    expect([carried.at(-1), brought[0]]).toEqual([undefined, undefined]);
    const sums: string[] = [];
    let running = 0;
    for (let n = 0; n < 200; n += 1)
      sums.push(new Intl.NumberFormat('en', { style: 'currency', currency: 'USD' }).format((running += (1 + (n % 3)) * (5000 + n)) / 100));
    for (const [at, page] of pages.slice(0, -1).entries()) {
      const listed = Math.max(...[...page.matchAll(/Lot (\d+),/g)].map((match) => Number(match[1])));
      expect(carried[at]).toBe(sums[listed - 1]);
    }
  });
});

describe('Given the bytes of a document', () => {
  it.each(['fr', 'ja', 'ar', 'credit-note'])(
    'is clean, PDF/A-2b by its own word, with every font inside and nothing that acts: %s',
    async (name) => {
      const { checked, said, objects } = await inspect(documentOf(name).pdf);
      expect({ checked, said }).toEqual({ checked: 0, said: expect.stringContaining('No syntax or stream encoding errors found') });
      const [descriptors, embedded] = [/\/Type \/FontDescriptor/g, /\/FontFile[23]? \d+ 0 R/g].map(
        (what) => objects.match(what)?.length ?? 0,
      );
      expect(descriptors).toBeGreaterThan(1);
      expect(embedded).toBe(descriptors);
      expect(objects).toMatch(/<pdfaid:part>2<\/pdfaid:part>/);
      expect(objects).toMatch(/<pdfaid:conformance>B<\/pdfaid:conformance>/);
      expect(objects).toMatch(/\/OutputIntents/);
      expect(objects).not.toMatch(/\/(JavaScript|JS|URI|Launch|EmbeddedFile|AA|OpenAction)\b/);
    },
  );
});
