import { type Random } from './random.js';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHARS_PER_DRAW = 5;

/** Prefixed opaque ids in Stripe's look, for example `pi_3` + 23 characters. */
export class Ids {
  constructor(private readonly random: Random) {}

  next(prefix: string): string {
    return this.text(24, `${prefix}_`);
  }

  /** One flat string: concatenation would leave a rope of pieces in memory for every id. */
  text(length: number, prefix = ''): string {
    const total = prefix.length + length;
    const codes = Buffer.allocUnsafe(total);
    codes.write(prefix, 'latin1');
    for (let at = prefix.length; at < total;) {
      let draw = this.random.uint32();
      for (let i = 0; i < CHARS_PER_DRAW && at < total; i += 1, at += 1) {
        codes[at] = ALPHABET.charCodeAt(draw % 62);
        draw = Math.floor(draw / 62);
      }
    }
    return codes.toString('latin1');
  }
}
