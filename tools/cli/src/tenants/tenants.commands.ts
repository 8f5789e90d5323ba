import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { tenantsBrand } from './brand.command.js';
import { tenantsCreate } from './create.command.js';
import { tenantsList } from './list.command.js';

export function tenantsCommands(program: Command, cli: Cli): void {
  const tenants = program.command('tenants').description('Who sells through Tidegate');
  tenantsCreate(tenants, cli);
  tenantsBrand(tenants, cli);
  tenantsList(tenants, cli);
}
