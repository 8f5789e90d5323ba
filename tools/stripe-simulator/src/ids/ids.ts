import { type Random } from './random.js';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHARS_PER_DRAW = 5;

/** Prefixed opaque ids in Stripe's look, for example `pi_3` + 23 characters. */
export class Ids {
  constructor(private readonly random: Random) {}

  next(prefix: string): string {
    return `${prefix}_${this.text(24)}`;
  }

  text(length: number): string {
    let text = '';
    while (text.length < length) {
      let draw = this.random.uint32();
      for (let i = 0; i < CHARS_PER_DRAW && text.length < length; i += 1) {
        text += ALPHABET[draw % 62] ?? '0';
        draw = Math.floor(draw / 62);
      }
    }
    return text;
  }
}
