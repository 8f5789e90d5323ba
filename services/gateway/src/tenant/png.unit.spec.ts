import { describe, expect, it } from '@jest/globals';
import { PNG } from 'pngjs';
import { faultOfPng } from './png.js';

const png = (width: number, height: number): Buffer => PNG.sync.write(new PNG({ width, height }));

describe('When a logo is given', () => {
  it('takes a PNG', () => {
    expect(faultOfPng(png(30, 20))).toBeNull();
  });

  const whole = png(30, 20);
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
