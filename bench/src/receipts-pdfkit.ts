import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import PDFDocument from 'pdfkit';
import type { DocumentInput } from '@tidegate/receipts/document/document-input';

const require = createRequire(import.meta.url);
const font = (weight: string): Buffer => readFileSync(require.resolve(`@expo-google-fonts/inter/${weight}.ttf`));
const [REGULAR, SEMIBOLD] = [font('400Regular/Inter_400Regular'), font('600SemiBold/Inter_600SemiBold')];
const [LEFT, RIGHT] = [68, 527];

/** The same receipt set by hand with pdfkit, two weights of Inter embedded: no table layout, no PDF/A, no code. */
export function withPdfkit(input: DocumentInput): Promise<Buffer> {
  const pdf = new PDFDocument({ size: 'A4', margin: LEFT, info: { Title: input.title, CreationDate: new Date(0) } });
  const chunks: Buffer[] = [];
  pdf.on('data', (chunk: Buffer) => chunks.push(chunk));
  const end = new Promise<Buffer>((resolve) => pdf.on('end', () => resolve(Buffer.concat(chunks))));
  pdf.registerFont('regular', REGULAR).registerFont('semibold', SEMIBOLD);
  const put = (text: string, y: number, size: number, face = 'regular', x = LEFT) =>
    pdf.font(face).fontSize(size).text(text, x, y, { lineBreak: false });
  const flush = (text: string, y: number, size: number, face = 'regular') => {
    pdf.font(face).fontSize(size);
    pdf.text(text, RIGHT - pdf.widthOfString(text), y, { lineBreak: false });
  };
  put(input.seller.name, 62, 13, 'semibold');
  input.seller.lines.forEach((line, at) => put(line, 82 + at * 12, 8));
  flush(input.title, 62, 13, 'semibold');
  flush(input.number, 82, 8);
  put(input.paid.label, 170, 8);
  put(input.paid.amount, 182, 30, 'semibold');
  put(input.paid.sentence, 220, 9.5);
  input.facts.forEach(({ label, value }, at) => {
    put(label, 270 + at * 18, 9.5);
    put(value, 270 + at * 18, 9.5, 'regular', 188);
  });
  let y = 400;
  for (const { name, quantity, unit, amount } of input.table.rows) {
    put(name, y, 9);
    put(quantity, y, 9, 'regular', 380);
    put(unit, y, 9, 'regular', 420);
    flush(amount, y, 9);
    y += 22;
  }
  for (const { label, amount } of input.totals) {
    put(label, y, 9, 'regular', 380);
    flush(amount, y, 9);
    y += 18;
  }
  put(input.footer.left, 780, 8);
  pdf.end();
  return end;
}
