import { accountsFile } from './nats-accounts.js';

// Prints deploy/nats/accounts.conf.
process.stdout.write(accountsFile());
