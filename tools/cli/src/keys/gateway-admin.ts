import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { givenIn } from '../database/admin-url.js';
import { Failure } from '../exit.js';
import { localFile } from '../settings/settings.js';
import type { Terminal } from '../terminal.js';

/** Runs one command of the gateway's own admin program and answers what it printed. Throws a Failure with its reason. */
export type GatewayAdmin = (args: readonly string[]) => Promise<Record<string, unknown>>;

/**
 * The way to the first tenant and key, before any key exists: the gateway's admin program, on DATABASE_URL. Null when there is a gateway to talk to, which
 * knows who asks. It is a program of its own, because no tool carries a service's code.
 */
export function gatewayAdmin({ env, cwd }: Pick<Terminal, 'env' | 'cwd'>): GatewayAdmin | null {
  const databaseUrl = givenIn(env, 'DATABASE_URL');
  const hasGateway = [env['TIDEGATE_URL'], env['TIDEGATE_API_KEY'], env['TIDEGATE_API_KEY_FILE']].some((one) => one?.trim());
  if (!databaseUrl || hasGateway || localFile(cwd) !== undefined) return null;
  return async (args) => {
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [builtProgram('gateway', 'admin.js'), ...args], {
        // The program takes one of the two, and the other is what this one was read from.
        env: { ...env, DATABASE_URL: databaseUrl, DATABASE_URL_FILE: '' },
      });
      return JSON.parse(stdout) as Record<string, unknown>;
    } catch (error) {
      const said = (error as { stderr?: string }).stderr?.trim();
      throw new Failure('gateway.admin_failed', said || (error as Error).message);
    }
  };
}

/** Path of a program of a service's own. Throws a Failure where nothing is built. */
export function builtProgram(service: string, file: string): string {
  for (let folder = import.meta.dirname; dirname(folder) !== folder; folder = dirname(folder)) {
    const program = join(folder, 'services', service, 'dist', file);
    if (existsSync(program)) return program;
  }
  throw new Failure(`${service}.not_built`, `Tidegate is not built here (${service}): run \`npm run build\` once in its folder.`);
}
