import { crc32, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const MOST_DOTS = 2000;
/** By colour type, how many samples a dot has and of how many bits they may be: PNG 11.2.1. */
const COLOURS = new Map([
  [0, { samples: 1, depths: [1, 2, 4, 8, 16] }],
  [2, { samples: 3, depths: [8, 16] }],
  [3, { samples: 1, depths: [1, 2, 4, 8] }],
  [4, { samples: 2, depths: [8, 16] }],
  [6, { samples: 4, depths: [8, 16] }],
]);
const PALETTE = 3;
const MOST_FILTER = 4;
/** Where each pass begins and how far its dots lie apart, across and down: PNG 8.1. */
// prettier-ignore
const PASSES = new Map<number, readonly (readonly [number, number, number, number])[]>([
  [0, [[0, 0, 1, 1]]],
  [1, [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]]],
]);

/**
 * What is wrong with a logo, or null: it must be a PNG that is whole, of a size that a document can carry. A receipt keeps the logo that it was issued with for good, so
 * one that cannot be drawn would keep its document from ever being made. https://www.w3.org/TR/png-3/
 */
export function faultOfPng(bytes: Buffer): string | null {
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) return 'must be a PNG';
  const chunks = chunksOf(bytes);
  const header = chunks?.[0];
  if (!chunks || header?.type !== 'IHDR' || header.data.length !== 13 || chunks.at(-1)?.type !== 'IEND') return 'is a damaged PNG';
  const [width, height] = [header.data.readUInt32BE(0), header.data.readUInt32BE(4)];
  if (width < 1 || height < 1 || width > MOST_DOTS || height > MOST_DOTS) return `must be at most ${MOST_DOTS} x ${MOST_DOTS} dots`;
  const rows = rowsOf(header.data, width, height);
  if (!rows || (header.data[9] === PALETTE && !chunks.some(({ type }) => type === 'PLTE'))) return 'is a damaged PNG';
  const packed = Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data));
  return isDrawable(packed, rows) ? null : 'is a damaged PNG';
}

/** How many bytes each row unpacks to, its filter byte included; null when the header says what no PNG is. */
function rowsOf(header: Buffer, width: number, height: number): number[] | null {
  const [depth = 0, type = 0, compression, filter, interlace = 0] = header.subarray(8);
  const colour = COLOURS.get(type);
  const passes = PASSES.get(interlace);
  if (!colour?.depths.includes(depth) || !passes || compression !== 0 || filter !== 0) return null;
  return passes.flatMap(([x, y, across, down]) => {
    const [dots, rows] = [Math.ceil((width - x) / across), Math.ceil((height - y) / down)];
    return dots > 0 && rows > 0 ? Array<number>(rows).fill(1 + Math.ceil((dots * colour.samples * depth) / 8)) : [];
  });
}

/** Whether it unpacks to all the rows, each with a filter that there is. */
function isDrawable(packed: Buffer, rows: readonly number[]): boolean {
  const size = rows.reduce((sum, row) => sum + row, 0);
  try {
    const dots = inflateSync(packed, { maxOutputLength: size });
    let at = 0;
    return dots.length === size && rows.every((row) => (dots[(at += row) - row] ?? Infinity) <= MOST_FILTER);
  } catch {
    return false;
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
