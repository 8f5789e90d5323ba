import { crc32, deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { PNG } from 'pngjs';
import { faultOfPng } from './png.js';

const png = (width: number, height: number): Buffer => PNG.sync.write(new PNG({ width, height }));

const chunk = (type: string, data: Buffer): Buffer => {
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
};
/** Its chunks are whole, whatever is in them. 8 x 8 dots. */
const written = ({ depth = 8, type = 6, interlace = 0, unpacked = 8 * (8 * 4 + 1), filter = 0, extra = [] as Buffer[] }): Buffer => {
  const header = Buffer.from([0, 0, 0, 8, 0, 0, 0, 8, depth, type, 0, 0, interlace]);
  const dots = deflateSync(Buffer.alloc(unpacked, filter));
  return Buffer.concat([whole.subarray(0, 8), chunk('IHDR', header), ...extra, chunk('IDAT', dots), chunk('IEND', Buffer.alloc(0))]);
};
const whole = png(30, 20);

describe('When a logo is given', () => {
  it('takes a PNG', () => {
    expect(faultOfPng(png(30, 20))).toBeNull();
  });

  it.each([
    ['as it is', written({})],
    ['of grey dots of 16 bits', written({ depth: 16, type: 0, unpacked: 8 * 17 })],
    ['of a bit for each dot', written({ depth: 1, type: 0, unpacked: 8 * 2 })],
    ['with a palette', written({ type: 3, unpacked: 8 * 9, extra: [chunk('PLTE', Buffer.alloc(3))] })],
    ['in seven passes', written({ interlace: 1, type: 0, unpacked: 2 + 2 + 3 + 2 * 3 + 2 * 5 + 4 * 5 + 4 * 9 })],
  ])('takes one %s', (_, bytes) => {
    expect(faultOfPng(bytes)).toBeNull();
  });

  it.each([
    ['without its last rows', written({ unpacked: 100 })],
    ['without any row', written({ unpacked: 0 })],
    ['with more than its rows', written({ unpacked: 8 * 33 + 1 })],
    ['with a filter that there is not', written({ filter: 9 })],
    ['of a depth that there is not', written({ depth: 7 })],
    ['of a colour that there is not', written({ type: 5 })],
    ['without its palette', written({ type: 3, unpacked: 8 * 9 })],
  ])('refuses one that is whole and cannot be drawn: %s', (_, bytes) => {
    expect(faultOfPng(bytes)).toBe('is a damaged PNG');
  });

  const flipped = Buffer.from(whole);
  flipped.writeUInt8((flipped.at(50) ?? 0) ^ 1, 50);
  it.each([
    ['no PNG', Buffer.from('<svg/>'), 'must be a PNG'],
    ['a PNG that was cut', whole.subarray(0, -20), 'is a damaged PNG'],
    ['a PNG with a flipped bit', flipped, 'is a damaged PNG'],
    ['a PNG that is too large', png(2001, 1), 'must be at most 2000 x 2000 dots'],
  ])('refuses %s', (_, bytes, fault) => {
    expect(faultOfPng(bytes)).toBe(fault);
  });
});
