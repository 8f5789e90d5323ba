import { StackError } from './stack-error.js';

/** Runs every migration of the product on a database; `password` names the password that the login role of each service gets. */
export async function migrateProduct(adminUrl: string, password: (role: string) => string): Promise<void> {
  const { migrateAll } = await load<{ migrateAll(adminUrl: string, options: { password(role: string): string }): Promise<void> }>('@tidegate/database/migrate');
  await migrateAll(adminUrl, { password });
}

/**
 * The stack runs the product, and the product's own tests run on the stack: a static import would close that circle in the build graph. Hence these
 * few modules are named at run time only.
 */
async function load<Module>(specifier: string): Promise<Module> {
  try {
    return (await import(specifier)) as Module;
  } catch (error) {
    throw new StackError(`${specifier} could not be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
}
