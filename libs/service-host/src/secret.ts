import { createHash } from 'node:crypto';
import { inspect } from 'node:util';

/** How a text is read as a secret: the value, or what is wrong with it, never quoting it. */
export type ReadSecret<T> = (text: string) => { value: T } | { faults: string[] };

/**
 * A setting that nobody may see and that may change while the process runs. Ask for `value` at each use and keep no copy. Printed, it is its fingerprint.
 */
export class Secret<T = string> {
  #value: T;
  #fingerprint: string;
  readonly #read: ReadSecret<T>;
  /** The file that it came from, which is followed; absent when it was given directly. */
  readonly file: string | undefined;

  private constructor(value: T, fingerprint: string, read: ReadSecret<T>, file: string | undefined) {
    this.#value = value;
    this.#fingerprint = fingerprint;
    this.#read = read;
    this.file = file;
  }

  static of<T>(text: string, value: T, read: ReadSecret<T>): Secret<T> {
    return new Secret(value, fingerprintOf(text), read, undefined);
  }

  /** The same secret as one that is kept in a file. */
  from(file: string): Secret<T> {
    return new Secret(this.#value, this.#fingerprint, this.#read, file);
  }

  get value(): T {
    return this.#value;
  }

  /** `sha256:` and 8 hexadecimal digits of the text: enough to tell two secrets apart, and nothing to use one by. */
  get fingerprint(): string {
    return this.#fingerprint;
  }

  /** Takes the new text up, unless something is wrong with it; then the old value stays. Whether anything changed, or the faults. */
  replace(text: string): { changed: boolean } | { faults: string[] } {
    const fingerprint = fingerprintOf(text);
    if (fingerprint === this.#fingerprint) return { changed: false };
    const read = this.#read(text);
    if ('faults' in read) return read;
    this.#value = read.value;
    this.#fingerprint = fingerprint;
    return { changed: true };
  }

  toString(): string {
    return `[secret ${this.#fingerprint}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** What a secret is, by its prefix or scheme: `sk_test`, `whsec`, `postgres`. Null when nothing shows. */
export function kindOf(text: string): string | null {
  return /^((?:sk|rk|pk)_(?:test|live)|whsec)_/.exec(text)?.[1] ?? /^([a-z0-9]+):\/\//.exec(text)?.[1] ?? null;
}

/** `sha256:` and the first 8 hexadecimal digits. */
export const fingerprintOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
