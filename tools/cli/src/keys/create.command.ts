import type { NewApiKeyView } from '@tidegate/contracts/ops/api-keys';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { durationSeconds } from '../output/time.js';
import { gatewayAdmin } from './gateway-admin.js';
import { newKeyText } from './key-text.js';

interface Options extends CommonOptions {
  reason: string;
  tenant: string;
  scopes: string[];
  live?: true;
  expiresIn?: number;
}

export function keysCreate(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'create',
    summary: 'Make a key and show it, once',
    help: `Example:\n  tidegate keys create --tenant acme --scopes payments:read,payments:write --reason "web shop"\n\nThe scopes are in the gateway's /docs; --scopes ops makes a key for operators.\nThe very first key, before there is one: with DATABASE_URL set and no TIDEGATE_URL.`,
  })
    .requiredOption('--tenant <id>', 'whose key it is')
    .requiredOption('--scopes <a,b,…>', 'what it may do', (text: string) => text.split(',').map((one) => one.trim()))
    .option('--live', 'a tg_live_ key; tg_test_ unless given')
    .option('--expires-in <duration>', 'ends by itself after 90d, say; never unless given', durationSeconds)
    .action(
      cli.run(async ({ tenant, scopes, live, expiresIn, ...options }: Options) => {
        const expires_at = expiresIn === undefined ? undefined : new Date(Date.now() + expiresIn * 1000).toISOString();
        const will = [
          `make a ${live ? 'live' : 'test'} key of ${tenant} for ${scopes.join(', ')}, ${expires_at ? `until ${expires_at}` : 'without an end'}`,
        ];
        const admin = gatewayAdmin(cli.terminal);
        const viaRest = () =>
          cli.client.post<NewApiKeyView>('/v1/ops/api-keys', {
            tenant,
            scopes,
            livemode: live ?? false,
            expires_at,
            reason: options.reason,
          });
        const viaDatabase = () =>
          admin?.([
            ...['create-key', '--tenant', tenant, '--scopes', scopes.join(','), '--reason', options.reason],
            ...(live ? ['--livemode'] : []),
            ...(expires_at ? ['--expires', expires_at] : []),
          ]) as Promise<Record<string, unknown>> as Promise<NewApiKeyView>;
        const { done } = await cli.change(options, { will, act: () => (admin ? viaDatabase() : viaRest()) }, newKeyText);
        return done ? 0 : 1;
      }),
    );
}
