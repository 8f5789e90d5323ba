import type { RotatedApiKeyView } from '@tidegate/contracts/ops/api-keys';
import { type Command, Option } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { at, duration, durationSeconds } from '../output/time.js';
import { newKeyText } from './key-text.js';

interface Options extends CommonOptions {
  reason: string;
  overlap: number;
  expiresIn?: number;
}

const DAY = 86_400;

export function keysRotate(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'rotate',
    summary: 'Replace a key: a new one with the same rights, and an end for the old one',
    help: `Example:\n  tidegate keys rotate Ab3dEf6hIj9k --overlap 2h --reason "yearly rotation"\n\nPut the new key everywhere within the overlap. For a leaked key use --overlap 0s, or revoke it.`,
  })
    .argument('<id>', 'the part of the key between the second and the third underscore')
    .addOption(new Option('--overlap <duration>', 'how long the old key goes on working').argParser(durationSeconds).default(DAY, '24h'))
    .option('--expires-in <duration>', 'the new key ends by itself after 90d, say; never unless given', durationSeconds)
    .action(
      cli.run(async (id: string, { overlap, expiresIn, ...options }: Options) => {
        const expires_at = expiresIn === undefined ? undefined : new Date(Date.now() + expiresIn * 1000).toISOString();
        const { done } = await cli.change(
          options,
          {
            will: [`make a key that replaces ${id}`, `end ${id} ${overlap === 0 ? 'at once' : `in ${duration(overlap)}`}`],
            beware: cli.client.keyId === id ? ['this is the key that you are using now'] : [],
            act: () =>
              cli.client.post<RotatedApiKeyView>(`/v1/ops/api-keys/${encodeURIComponent(id)}/rotate`, {
                overlap_seconds: overlap,
                expires_at,
                reason: options.reason,
              }),
          },
          (key) => `${newKeyText(key)}The old key ${id} ends ${at(key.replaces.expires_at)}.\n`,
        );
        return done ? 0 : 1;
      }),
    );
}
