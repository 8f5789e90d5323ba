import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { PDFiumLibrary } from '@hyzyla/pdfium';
import createQpdf from '@neslinesli93/qpdf-wasm';
import { PNG } from 'pngjs';

const require = createRequire(import.meta.url);
/** Enough to see a hairline, little enough to compare in no time. */
const DOTS_PER_POINT = 1;

interface Qpdf {
  FS: { writeFile(path: string, data: Uint8Array): void; readFile(path: string): Uint8Array };
  callMain(args: string[]): number;
}

/** PDFium, which is to be given back when all pages are drawn. */
export const openPdfium = (): Promise<PDFiumLibrary> => PDFiumLibrary.init();

/** The pages of a PDF as PDFium draws them, a dot a point, and their text as a reader would select it. `draw`: which pages are drawn, from 1; all when absent. */
export async function readPages(
  pdfium: PDFiumLibrary,
  pdf: Uint8Array,
  draw?: readonly number[],
): Promise<{ texts: string[]; drawn: PNG[] }> {
  const document = await pdfium.loadDocument(pdf);
  const texts: string[] = [];
  const drawn: PNG[] = [];
  for (const page of document.pages()) {
    texts.push(page.getText().replace(/[\u00A0\u202F]/g, ' '));
    if (draw && !draw.includes(page.number + 1)) continue;
    const { data, width, height } = await page.render({ scale: DOTS_PER_POINT, render: 'bitmap' });
    const png = new PNG({ width, height });
    png.data.set(data);
    drawn.push(png);
  }
  document.destroy();
  return { texts, drawn };
}

/** How `qpdf --check` ends (0 is clean, 3 has warnings, 2 errors) and what it says, and the objects of the PDF as readable text. */
export async function inspect(pdf: Uint8Array): Promise<{ checked: number; said: string; objects: string }> {
  const create = createQpdf as unknown as (options: object) => Promise<Qpdf>;
  const said: string[] = [];
  const { log } = console;
  // It says what it says there and nowhere else.
  console.log = (line: string) => said.push(line);
  try {
    const qpdf = await create({ wasmBinary: readFileSync(require.resolve('@neslinesli93/qpdf-wasm/dist/qpdf.wasm')), noInitialRun: true });
    qpdf.FS.writeFile('/in.pdf', pdf);
    const checked = qpdf.callMain(['--check', '/in.pdf']);
    qpdf.callMain(['--qdf', '--object-streams=disable', '/in.pdf', '/out.pdf']);
    return { checked, said: said.join('\n'), objects: Buffer.from(qpdf.FS.readFile('/out.pdf')).toString('latin1') };
  } finally {
    console.log = log;
  }
}
