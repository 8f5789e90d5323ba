import type { ApiKeyView } from '@tidegate/contracts/ops/api-keys';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';

export function keysRevoke(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'revoke',
    summary: 'End a key now, for good',
    help: 'Every gateway refuses it within 5 seconds.\n\nExample:\n  tidegate keys revoke Ab3dEf6hIj9k --reason "found in a public repository"',
  })
    .argument('<id>', 'the part of the key between the second and the third underscore')
    .action(
      cli.run(async (id: string, options: CommonOptions & { reason: string }) => {
        const { done } = await cli.change(
          options,
          {
            will: [`end the key ${id} now, for good`],
            beware: cli.client.keyId === id ? ['this is the key that you are using now: no further command will work with it'] : [],
            act: () => cli.client.post<ApiKeyView>(`/v1/ops/api-keys/${encodeURIComponent(id)}/revoke`, { reason: options.reason }),
          },
          (key) => `The key ${key.id} of ${key.tenant} is revoked; every gateway refuses it within 5 seconds.\n`,
        );
        return done ? 0 : 1;
      }),
    );
}
