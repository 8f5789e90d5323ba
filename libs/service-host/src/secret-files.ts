import { readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@tidegate/telemetry/logger';
import { Secret } from './secret.js';

interface Followed {
  /** Of the setting. */
  name: string;
  file: string;
  secret: Secret<unknown>;
  /** What the file was when it was last looked into; it is read again only when that changes. */
  seen: string;
}

const EVERY_MS = 1000;
/** A file that was written so recently may be half written: it is read at the next look. */
const SETTLED_MS = 100;

/**
 * Follows the files that secrets came from and takes up what changes, within about a second, without a restart. Looks at the file behind the name each time, so
 * that the swapped symlinks of a mounted Kubernetes secret are seen like a file written in place. A file that is gone, empty or wrong changes nothing and is
 * an error in the log.
 */
export class SecretFiles {
  readonly name = 'secret files';
  private readonly followed: Followed[];
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    config: object,
    private readonly logger: Logger,
    private readonly everyMs = EVERY_MS,
  ) {
    this.followed = Object.entries(config).flatMap(([name, secret]) =>
      secret instanceof Secret && secret.file !== undefined ? [{ name, file: secret.file, secret, seen: '' }] : [],
    );
  }

  /** Resolves when stopped; at once when no secret is in a file. */
  run(): Promise<void> {
    return (this.running ??= this.untilStopped());
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async untilStopped(): Promise<void> {
    while (this.followed.length > 0 && !this.stopping.signal.aborted) {
      for (const one of this.followed) await this.lookAt(one);
      await delay(this.everyMs, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined);
    }
  }

  private async lookAt(one: Followed): Promise<void> {
    try {
      const before = await lookOf(one.file);
      if (before.mark === one.seen || Math.abs(Date.now() - before.modifiedMs) < SETTLED_MS) return;
      const text = (await readFile(one.file, 'utf8')).trim();
      if ((await lookOf(one.file)).mark !== before.mark) return;
      one.seen = before.mark;
      this.takeUp(one, text);
    } catch (err) {
      const mark = `gone: ${(err as NodeJS.ErrnoException).code}`;
      if (mark === one.seen) return;
      one.seen = mark;
      this.refuse(one, [(err as NodeJS.ErrnoException).code ?? 'unknown error']);
    }
  }

  private takeUp(one: Followed, text: string): void {
    const outcome = text === '' ? { faults: ['is empty'] } : one.secret.replace(text);
    if ('faults' in outcome) return this.refuse(one, outcome.faults);
    if (outcome.changed)
      this.logger.info(
        { event: 'setting_changed', setting: one.name, fingerprint: one.secret.fingerprint },
        'A secret changed and is in use',
      );
  }

  private refuse({ name, file, secret }: Followed, faults: string[]): void {
    this.logger.error(
      { event: 'setting_not_changed', setting: name, file, faults, fingerprint: secret.fingerprint },
      'The file of a secret changed and cannot be used; the old value stays',
    );
  }
}

/** The file behind the name, and its state: another file, other times or another length is another mark. */
async function lookOf(file: string): Promise<{ mark: string; modifiedMs: number }> {
  const { dev, ino, mtimeNs, ctimeNs, size, mtimeMs } = await stat(file, { bigint: true });
  return { mark: [dev, ino, mtimeNs, ctimeNs, size].join(':'), modifiedMs: Number(mtimeMs) };
}
