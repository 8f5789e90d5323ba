import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { adminUrl } from '../database/admin-url.js';
import { facts } from '../output/table.js';
import { dump } from './dump.js';

interface Options extends CommonOptions {
  to: string;
}

export function backupCommands(program: Command, cli: Cli): void {
  program
    .command('backup')
    .description('Copies of the record')
    .command('create', { isDefault: true })
    .description('Write every table of Tidegate, as of one instant, into a new folder')
    .option('--json', 'one JSON document on stdout, for scripts')
    .addHelpText(
      'after',
      `
DATABASE_URL is that of the database's owner. Services run on meanwhile. The folder holds persons' data and secrets' hashes: keep it as you keep the database.
It is for databases of up to some tens of gigabytes, and for moving to another cluster or version of PostgreSQL; a large one is backed up by its storage or by
PostgreSQL itself, and \`restore hold\` does for that what \`restore load\` does for this.`,
    )
    .requiredOption('--to <folder>', 'a folder that is not there yet, or is empty')
    .action(
      cli.run(async ({ to }: Options) => {
        const folder = resolve(cli.terminal.cwd, to);
        const { taken_at, tables } = await cli.progress('Copying', () => dump(adminUrl(cli.terminal), folder));
        const rows = tables.reduce((sum, table) => sum + table.rows, 0);
        cli.show({ folder, taken_at, tables: tables.length, rows }, () =>
          facts([
            ['folder', folder],
            ['as of', taken_at],
            ['tables', String(tables.length)],
            ['rows', String(rows)],
          ]),
        );
        return 0;
      }),
    );
}
