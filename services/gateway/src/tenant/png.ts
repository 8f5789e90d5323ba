import { crc32, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const MOST_DOTS = 2000;
/** More than any PNG of that size unpacks to: four channels of 16 bits and a filter byte a row. */
const MOST_BYTES = MOST_DOTS * (MOST_DOTS * 8 + 1);

/** What is wrong with a logo, or null: it must be a PNG that is whole, of a size that a document can carry. https://www.w3.org/TR/png-3/ */
export function faultOfPng(bytes: Buffer): string | null {
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) return 'must be a PNG';
  const chunks = chunksOf(bytes);
  const header = chunks?.[0];
  if (!chunks || header?.type !== 'IHDR' || header.data.length !== 13 || chunks.at(-1)?.type !== 'IEND') return 'is a damaged PNG';
  const [width, height] = [header.data.readUInt32BE(0), header.data.readUInt32BE(4)];
  if (width < 1 || height < 1 || width > MOST_DOTS || height > MOST_DOTS) return `must be at most ${MOST_DOTS} x ${MOST_DOTS} dots`;
  try {
    inflateSync(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data)), { maxOutputLength: MOST_BYTES });
    return null;
  } catch {
    return 'is a damaged PNG';
  }
}

/** Null when a chunk is cut short or its checksum is wrong. */
function chunksOf(bytes: Buffer): { type: string; data: Buffer }[] | null {
  const chunks: { type: string; data: Buffer }[] = [];
  for (let at = 8; at < bytes.length;) {
    if (at + 12 > bytes.length) return null;
    const length = bytes.readUInt32BE(at);
    const end = at + 8 + length;
    if (end + 4 > bytes.length || crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32BE(end)) return null;
    chunks.push({ type: bytes.toString('latin1', at + 4, at + 8), data: bytes.subarray(at + 8, end) });
    at = end + 4;
  }
  return chunks;
}
