// What runs in the container: `gateway`, `webhooks`, `payments`, `reconciliation` or `receipts` alone is that service, anything else is for the `tidegate` command,
// which has nouns of the same names: `payments list`.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const [name = '--help', ...args] = process.argv.slice(2);
const service = args.length === 0 && /^[a-z]+$/.test(name) ? join(import.meta.dirname, 'services', name, 'bundle', 'main.js') : '';
const command = join(import.meta.dirname, 'tools', 'cli', 'dist', 'main.js');
const isService = service !== '' && existsSync(service);

process.argv.splice(1, Infinity, ...(isService ? [service] : [command, name, ...args]));
await import(isService ? service : command);
