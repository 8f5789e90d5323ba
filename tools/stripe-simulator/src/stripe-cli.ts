import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LISTENS_WITHIN_MS = 15_000;

/** The official Stripe CLI (npm's `@stripe/cli`, to be installed beside this package), pointed at a simulator, with a home folder of its own. */
export interface Cli {
  /** Runs one command to its end; rejects when it fails or takes longer than 20 s. */
  run(...args: string[]): Promise<string>;
  /** Starts `stripe listen` and resolves once it is ready. */
  listen(...args: string[]): Promise<Listening>;
  end(): Promise<void>;
}

export interface Listening {
  readonly secret: string;
  /** Everything that it printed so far. */
  readonly said: () => string;
  stop(): Promise<void>;
}

/** `key`: a secret key that the simulator takes. End it when done: whatever still listens is killed. */
export function openCli(simulator: { url: string }, key: string): Cli {
  const home = mkdtempSync(join(tmpdir(), 'stripe-cli-'));
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, XDG_CONFIG_HOME: home, STRIPE_CLI_TELEMETRY_OPTOUT: '1' };
  const shim = createRequire(import.meta.url).resolve('@stripe/cli/bin/shim.js');
  const listening: ChildProcess[] = [];
  const withBase = (args: string[]): string[] => [shim, ...args, '--api-key', key, '--api-base', simulator.url, '--color', 'off'];
  return {
    run: (...args) =>
      new Promise((resolve, reject) => {
        execFile(process.execPath, withBase(args), { env, timeout: 20_000 }, (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new Error(`stripe ${args.join(' ')}: ${stdout}${stderr}`, { cause: error }));
        });
      }),
    listen: async (...args) => {
      const child = spawn(process.execPath, withBase(['listen', '--skip-update', ...args]), {
        env,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      listening.push(child);
      let said = '';
      const ready = new Promise<string>((resolve, reject) => {
        const fail = (): void => reject(new Error(`stripe listen: ${said}`));
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (chunk: Buffer) => {
            said += String(chunk);
            const [, secret] = /signing secret is (whsec_\w+)/.exec(said) ?? [];
            if (secret !== undefined) resolve(secret);
          });
        child.once('exit', fail);
        setTimeout(fail, LISTENS_WITHIN_MS).unref();
      });
      return { secret: await ready, said: () => said, stop: () => stop(child) };
    },
    end: async () => {
      await Promise.all(listening.map(stop));
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** The shim waits for the binary and passes no signal on, so the whole process group ends. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  process.kill(-child.pid, 'SIGKILL');
  await gone;
}
