import { extractText, getDocumentProxy } from 'unpdf';

/** The text of a PDF as a reader would select it, page by page, and what it says about itself. */
export async function readPdf(pdf: Uint8Array): Promise<{ pages: string[]; info: Record<string, unknown> }> {
  const document = await getDocumentProxy(Uint8Array.from(pdf));
  const { text } = await extractText(document, { mergePages: false });
  const { info } = await document.getMetadata();
  await document.loadingTask.destroy();
  return { pages: text.map((page) => page.replace(/[\u00A0\u202F]/g, ' ')), info: info as Record<string, unknown> };
}
