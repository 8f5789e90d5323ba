import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { composeDocument } from '../src/document/compose-document.js';
import { TEMPLATES, TypstRenderer } from '../src/rendering/typst-renderer.js';
import { readPdf } from './pdf-text.js';
import { someDetails, someFacts } from './receipt-facts.js';

jest.setTimeout(60_000);

const issuedAt = new Date(someFacts().issued_at);
const input = composeDocument(someFacts(), someDetails({ description: 'Order 10442' }));

describe('Given the bundled template and fonts', () => {
  const renderer = new TypstRenderer();
  const other = new TypstRenderer();
  afterAll(() => Promise.all([renderer.close(), other.close()]));

  it('makes the same bytes of the same input, in another engine too, and other bytes of another input', async () => {
    const first = await renderer.render('receipt', input, issuedAt);
    await renderer.render('receipt', { ...input, number: 'R-2026-000043' }, issuedAt);
    const again = await renderer.render('receipt', input, issuedAt);
    const elsewhere = await other.render('receipt', input, issuedAt);
    const different = await renderer.render('receipt', { ...input, number: 'R-2026-000043' }, issuedAt);
    expect([again.sha256, elsewhere.sha256]).toEqual([first.sha256, first.sha256]);
    expect(Buffer.compare(again.pdf, first.pdf)).toBe(0);
    expect(different.sha256).not.toBe(first.sha256);
  });

  it('records what it was made of', async () => {
    const { template, engine, fonts, sha256 } = await renderer.render('receipt', input, issuedAt);
    expect(template).toMatch(/^receipt@[0-9a-f]{12}$/);
    expect(engine).toMatch(/^typst 0\.\d+\.\d+ \(typst-ts-node-compiler \d+\.\d+\.\d+\)$/);
    expect([fonts, sha256]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });

  it('prints number, amount, date, seller and card as text that can be selected', async () => {
    const { pages } = await readPdf((await renderer.render('receipt', input, issuedAt)).pdf);
    expect(pages).toHaveLength(1);
    for (const text of [
      'R-2026-000042',
      '$428.00',
      'November 21, 2026',
      'Harbour & Lane Coffee Roasters',
      'Visa •••• 4242',
      'Order 10442',
    ]) {
      expect(pages[0]).toContain(text);
    }
  });

  it('is PDF/A-2b with its fonts inside, dated by the receipt alone, without script', async () => {
    const { pdf } = await renderer.render('receipt', input, issuedAt);
    const raw = Buffer.from(pdf).toString('latin1');
    expect(raw).toMatch(/<pdfaid:part>2<\/pdfaid:part>/);
    expect(raw).toMatch(/<pdfaid:conformance>B<\/pdfaid:conformance>/);
    expect(raw).toMatch(/\/OutputIntents/);
    expect(raw).not.toMatch(/\/(JavaScript|JS|URI|Launch|EmbeddedFile)\b/);
    const { info } = await readPdf(pdf);
    expect(info['CreationDate']).toBe('D:20261121060001Z');
  });

  it('prints markup of a user as the characters it consists of', async () => {
    const name = '*bold* #panic("x") $1/0$ <l> @ref // [a](http://x.example) \\u{41}';
    const hostile = composeDocument(someFacts(), someDetails({ line_items: [{ name, quantity: 1, unit_amount: 42800 }] }));
    const { pages } = await readPdf((await renderer.render('receipt', hostile, issuedAt)).pdf);
    expect(pages[0]?.replace(/\s+/g, '')).toContain(name.replace(/\s+/g, ''));
  });

  it('prints a question mark for what the fonts lack, and every script they have as it is', async () => {
    const name = 'Кофе Καφές 漢字 🎟';
    const mixed = composeDocument(someFacts(), someDetails({ line_items: [{ name, quantity: 1, unit_amount: 42800 }] }));
    const { pages } = await readPdf((await renderer.render('receipt', mixed, issuedAt)).pdf);
    expect(pages[0]).toContain('Кофе Καφές 漢字 ?');
  });

  it('spreads 200 line items with endless names over pages that repeat the head and count themselves', async () => {
    const line_items = Array.from({ length: 200 }, (_, i) => ({ name: `${i + 1} ${'x'.repeat(240)}`, quantity: 1, unit_amount: 100 }));
    const { pages } = await readPdf(
      (await renderer.render('receipt', composeDocument(someFacts(), someDetails({ line_items })), issuedAt)).pdf,
    );
    expect(pages.length).toBeGreaterThan(5);
    for (const [index, page] of pages.entries()) expect(page).toContain(`Page ${index + 1} / ${pages.length}`);
    expect(pages[1]).toContain('Unit price');
  });
});

describe('Given an engine that dies while it has nothing to do', () => {
  it('is replaced for the next document, which does not wait for it', async () => {
    const renderer = new TypstRenderer({ timeoutMs: 20_000 });
    await renderer.render('receipt', input, issuedAt);
    const { worker } = renderer as unknown as { worker: Worker };
    worker.emit('error', new Error('out of memory'));
    await worker.terminate();
    await expect(renderer.render('receipt', input, issuedAt)).resolves.toMatchObject({ template: expect.stringMatching(/^receipt@/) });
    await renderer.close();
  });
});

describe('Given a long document', () => {
  it('leaves the event loop to others while it is made', async () => {
    const renderer = new TypstRenderer();
    await renderer.render('receipt', input, issuedAt);
    const line_items = Array.from({ length: 200 }, (_, n) => ({ name: `Item ${n}`, quantity: 1, unit_amount: 100 }));
    let turns = 0;
    const turning = setInterval(() => (turns += 1), 1);
    await renderer.render('receipt', composeDocument(someFacts(), someDetails({ line_items })), issuedAt);
    clearInterval(turning);
    await renderer.close();
    expect(turns).toBeGreaterThan(10);
  });
});

describe('Given a template that is broken', () => {
  const templates = mkdtempSync(join(tmpdir(), 'tidegate-templates-'));
  const renderer = new TypstRenderer({ templates });
  const hurried = new TypstRenderer({ templates, timeoutMs: 4000 });
  beforeAll(() => {
    copyFileSync(join(TEMPLATES, 'receipt.typ'), join(templates, 'receipt.typ'));
    writeFileSync(join(templates, 'broken.typ'), '#let data = (');
  });
  afterAll(async () => {
    await renderer.close();
    await hurried.close();
    rmSync(templates, { recursive: true });
  });

  it.each([
    ['does not compile', 'broken', 'template', 'unclosed delimiter'],
    ['is missing', 'nowhere', 'template', 'is missing'],
    ['is named like a path', '../receipt', 'template', 'is no template name'],
  ])('fails the document by name when it %s, says why, and makes the next one', async (_, template, error, why) => {
    const fault = { name: 'RenderError', error, message: expect.stringContaining(why) };
    await expect(renderer.render(template, input, issuedAt)).rejects.toMatchObject(fault);
    await expect(renderer.render('receipt', input, issuedAt)).resolves.toMatchObject({ template: expect.stringMatching(/^receipt@/) });
  });

  it('gives up a document that takes too long, and makes the next one', async () => {
    await renderer.render('receipt', input, issuedAt);
    const turning = (turns: number) => `#for i in range(${turns}) { for j in range(1000) {} }`;
    writeFileSync(join(templates, 'measured.typ'), turning(2000));
    const startedAt = performance.now();
    await renderer.render('measured', input, issuedAt);
    // It cannot be interrupted, so it takes three times as long as it may, however fast this machine is.
    writeFileSync(join(templates, 'slow.typ'), turning(Math.ceil((2000 * 12_000) / (performance.now() - startedAt))));

    await expect(hurried.render('slow', input, issuedAt)).rejects.toMatchObject({ name: 'RenderError', error: 'timeout' });
    const next = await eventually(() => hurried.render('receipt', input, issuedAt), { timeoutMs: 60_000 });
    expect(next.template).toMatch(/^receipt@/);
  }, 120_000);
});

describe('Given a font that is damaged', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-fonts-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['damaged', 'damaged.ttf'],
    ['missing', 'missing.ttf'],
  ])('names the font when it is %s', async (_, file) => {
    writeFileSync(join(folder, 'damaged.ttf'), 'no font at all');
    const renderer = new TypstRenderer({ fonts: [{ file: join(folder, file), family: 'Inter' }] });
    await expect(renderer.render('receipt', input, issuedAt)).rejects.toMatchObject({
      error: 'font',
      message: expect.stringContaining(file),
    });
    await renderer.close();
  });
});
