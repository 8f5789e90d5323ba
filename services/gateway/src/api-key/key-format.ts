import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 12;
const SECRET_BYTES = 32;
/** 32 bytes in base 62. */
const SECRET_LENGTH = 43;
/** 32 bits in base 62. */
const CHECKSUM_LENGTH = 6;
const SHAPE = new RegExp(`^tg_(test|live)_([0-9A-Za-z]{${ID_LENGTH}})_([0-9A-Za-z]{${SECRET_LENGTH}})([0-9A-Za-z]{${CHECKSUM_LENGTH}})$`);

/**
 * A new key `tg_<test|live>_<id>_<secret><checksum>`: 32 random bytes, then the CRC-32 of all before it, both in base 62. The fixed shape and the
 * checksum let secret scanners find a leaked key, and let us refuse a misspelt one without asking the database.
 */
export function newKey(livemode: 'test' | 'live'): { id: string; key: string } {
  const id = base62(randomBytes(16), 22).slice(-ID_LENGTH);
  const body = `tg_${livemode}_${id}_${base62(randomBytes(SECRET_BYTES), SECRET_LENGTH)}`;
  return { id, key: body + checksumOf(body) };
}

/** The public parts of a key, or null when it cannot be one of ours. */
export function parseKey(key: string): { id: string; livemode: boolean } | null {
  const [, mode, id, , checksum] = SHAPE.exec(key) ?? [];
  if (id === undefined || checksum !== checksumOf(key.slice(0, -CHECKSUM_LENGTH))) return null;
  return { id, livemode: mode === 'live' };
}

export const STREAM_TOKEN = new RegExp(`^tg_stream_[0-9A-Za-z]{${SECRET_LENGTH}}$`);

/** A token `tg_stream_<secret>` of 32 random bytes, for those who cannot keep a key. */
export const newStreamToken = (): string => `tg_stream_${base62(randomBytes(SECRET_BYTES), SECRET_LENGTH)}`;

export const isStreamToken = (text: string): boolean => STREAM_TOKEN.test(text);

/** What is stored of a key or a token. */
export function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function checksumOf(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return base62(bytes, CHECKSUM_LENGTH);
}

function base62(bytes: Buffer, length: number): string {
  let rest = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (; rest > 0n; rest /= 62n) text = BASE62.charAt(Number(rest % 62n)) + text;
  return text.padStart(length, '0');
}
