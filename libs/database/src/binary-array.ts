/**
 * Arrays of one dimension in Postgres' binary format, for statements that write thousands of rows: the driver would write each element as quoted text, and Postgres read it back,
 * which costs both several times as much.
 * The format: https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/arrayfuncs.c (array_send), and `_send` of each type.
 */

/** As statements name it. */
export type ElementType = 'text' | 'uuid' | 'integer' | 'int' | 'bigint' | 'boolean' | 'timestamptz';

/** Null when one of the values is not of this type as the driver is given it, or has no room in it: then the driver writes them, and Postgres says what is wrong. */
export const binaryArray = (type: ElementType, values: readonly unknown[]): Buffer | null => ENCODERS[type](values);

/** Object ids of the types of elements, fixed in Postgres' catalog (pg_type.dat). */
const BOOL = 16;
const INT8 = 20;
const INT4 = 23;
const TEXT = 25;
const TIMESTAMPTZ = 1184;
const UUID = 2950;

const HEADER = 20;
const LENGTH = 4;
/** Bytes of UTF-8 for a unit of UTF-16, at most. */
const WIDEST = 3;
/** Postgres counts from 2000. */
const EPOCH_MS = Date.UTC(2000, 0, 1);
const HIGH = 2 ** 32;
const UUID_FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const ENCODERS: Record<ElementType, (values: readonly unknown[]) => Buffer | null> = {
  text: textArray,
  uuid: fixed(UUID, 16, isUuid, (bytes, value, at) => bytes.write(value.replaceAll('-', ''), at, 'hex')),
  integer: fixed(INT4, 4, isInt4, writeInt4),
  int: fixed(INT4, 4, isInt4, writeInt4),
  bigint: fixed(INT8, 8, isSafeInteger, writeInt8),
  boolean: fixed(BOOL, 1, isBoolean, (bytes, value, at) => bytes.writeInt8(value ? 1 : 0, at)),
  timestamptz: fixed(TIMESTAMPTZ, 8, isDate, writeTime),
};

/** A lone surrogate becomes U+FFFD, as it does when the driver writes it. */
function textArray(values: readonly unknown[]): Buffer | null {
  let [units, longest] = [0, 0];
  for (const value of values) {
    if (value === null) continue;
    if (typeof value !== 'string') return null;
    units += value.length;
    if (value.length > longest) longest = value.length;
  }
  const lengths = HEADER + values.length * LENGTH;
  // Room for ASCII, which nearly all of it is, with the last one as wide as it could be; for the rest when it comes.
  let bytes: Buffer = Buffer.allocUnsafe(lengths + units + longest * (WIDEST - 1));
  let at = HEADER;
  for (const value of values as readonly (string | null)[]) {
    if (value === null) {
      at = bytes.writeInt32BE(-1, at);
      continue;
    }
    if (at + LENGTH + value.length * WIDEST > bytes.length) bytes = grown(bytes, at, lengths + units * WIDEST);
    const length = bytes.write(value, at + LENGTH, 'utf8');
    at = bytes.writeInt32BE(length, at) + length;
  }
  return withHeader(bytes.subarray(0, at), TEXT, values);
}

function grown(bytes: Buffer, used: number, size: number): Buffer {
  const larger = Buffer.allocUnsafe(size);
  bytes.copy(larger, 0, 0, used);
  return larger;
}

/** Arrays of a type whose values are all of one size. */
function fixed<T>(type: number, size: number, isOne: (value: unknown) => value is T, write: (bytes: Buffer, value: T, at: number) => void) {
  return (values: readonly unknown[]): Buffer | null => {
    const bytes = Buffer.allocUnsafe(HEADER + values.length * (LENGTH + size));
    let at = HEADER;
    for (const value of values) {
      if (value !== null && !isOne(value)) return null;
      at = bytes.writeInt32BE(value === null ? -1 : size, at);
      if (value === null) continue;
      write(bytes, value, at);
      at += size;
    }
    return withHeader(bytes.subarray(0, at), type, values);
  };
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID_FORM.test(value);
}

function isInt4(value: unknown): value is number {
  return typeof value === 'number' && (value | 0) === value;
}

function isSafeInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isDate(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime());
}

function writeInt4(bytes: Buffer, value: number, at: number): void {
  bytes.writeInt32BE(value, at);
}

function writeInt8(bytes: Buffer, value: number, at: number): void {
  const high = Math.floor(value / HIGH);
  bytes.writeInt32BE(high, at);
  bytes.writeUInt32BE(value - high * HIGH, at + 4);
}

/** Microseconds, which are no safe integers from 2285 on. */
function writeTime(bytes: Buffer, value: Date, at: number): void {
  const ms = value.getTime() - EPOCH_MS;
  if (Number.isSafeInteger(ms * 1000)) writeInt8(bytes, ms * 1000, at);
  else bytes.writeBigInt64BE(BigInt(ms) * 1000n, at);
}

/** Dimensions, whether an element is null, the type of elements, and of the one dimension its length and first index. */
function withHeader(bytes: Buffer, type: number, values: readonly unknown[]): Buffer {
  bytes.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  bytes.writeInt32BE(values.includes(null) ? 1 : 0, 4);
  bytes.writeInt32BE(type, 8);
  if (values.length === 0) return bytes.subarray(0, 12);
  bytes.writeInt32BE(values.length, 12);
  bytes.writeInt32BE(1, 16);
  return bytes;
}
