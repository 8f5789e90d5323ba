import { createHash } from 'node:crypto';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@tidegate/local-stack/repository';
import { realProduct } from '@tidegate/local-stack/stack/real-product';

/** How a fresh database becomes what the tests of some package need. */
export interface Migration {
  /** Changes whenever the outcome would: a database that was migrated under the same key is used again. Letters, digits and _ only. */
  key: string;
  /** Runs it as the administrator of that database. */
  run(adminUrl: string): Promise<void>;
  /** The password of a login role it creates. */
  passwordOf(role: string): string;
}

/** Every migration of every service and lib, as `npm start` runs them. */
export function productMigration(): Migration {
  const password = (role: string) => `${role}-in-tests`;
  return {
    key: hashOfMigrations(),
    run: (adminUrl) => realProduct.migrate(adminUrl, password),
    passwordOf: password,
  };
}

function hashOfMigrations(): string {
  const hash = createHash('sha256');
  const root = repositoryRoot();
  for (const group of ['libs', 'services']) {
    for (const folder of readdirSync(join(root, group)).sort()) {
      for (const file of filesOf(join(root, group, folder))) hash.update(file).update(readFileSync(file));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/** What a package brings to the schema: the list of its folders and its SQL. */
function filesOf(folder: string): string[] {
  return globSync(['schema.json', '{,*-}migrations/*.sql'], { cwd: folder })
    .sort()
    .map((file) => join(folder, file));
}
