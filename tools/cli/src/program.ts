import { Command, CommanderError } from 'commander';
import { Cli } from './cli.js';
import type { ExitCode } from './exit.js';
import { eventsCommands } from './events/events.commands.js';
import { ledgerCommands } from './ledger/ledger.commands.js';
import { outboxCommands } from './outbox/outbox.commands.js';
import { secretsCommands } from './secrets/secrets.commands.js';
import { keysCommands } from './keys/keys.commands.js';
import { backupCommands } from './backup/backup.commands.js';
import { restoreCommands } from './restore/restore.commands.js';
import { databaseCommands } from './database/database.commands.js';
import { breakerCommands } from './breaker/breaker.commands.js';
import { checkoutsCommands } from './checkouts/checkouts.commands.js';
import { deadLettersCommands } from './dead-letters/dead-letters.commands.js';
import { paymentWindowCommands } from './payment-window/payment-window.commands.js';
import { paymentsCommands } from './payments/payments.commands.js';
import { privacyCommands } from './privacy/privacy.commands.js';
import { receiptsCommands } from './receipts/receipts.commands.js';
import { reconcileCommands } from './reconcile/reconcile.commands.js';
import { retriesCommands } from './retries/retries.commands.js';
import { stripeCommands } from './stripe/stripe.commands.js';
import { subscriptionsCommands } from './subscriptions/subscriptions.commands.js';
import { usageCommands } from './usage/usage.commands.js';
import { webhooksCommands } from './webhooks/webhooks.commands.js';
import { tenantsCommands } from './tenants/tenants.commands.js';
import type { Terminal } from './terminal.js';

const NOUNS = [
  stripeCommands,
  breakerCommands,
  paymentsCommands,
  checkoutsCommands,
  paymentWindowCommands,
  retriesCommands,
  subscriptionsCommands,
  deadLettersCommands,
  receiptsCommands,
  usageCommands,
  webhooksCommands,
  eventsCommands,
  reconcileCommands,
  outboxCommands,
  ledgerCommands,
  secretsCommands,
  privacyCommands,
  databaseCommands,
  backupCommands,
  restoreCommands,
  tenantsCommands,
  keysCommands,
];

/** The `tidegate` command: what an operator sees and does, over the REST interface. */
export function program(cli: Cli): Command {
  const { out, err } = cli.terminal;
  const command = new Command('tidegate')
    .description('Operates Tidegate: looks at it, and changes what an operator may change.')
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: err, getOutHasColors: () => false, getErrHasColors: () => false })
    .showHelpAfterError('(--help shows what it takes)')
    .addHelpText(
      'after',
      `
Exit codes: 0 fine, 1 failed or not done, 2 found something that wants attention.
Which Tidegate: TIDEGATE_URL and TIDEGATE_API_KEY, else the nearest .tidegate/local.env upward.
Every command takes --json; every change takes --reason, shows what it will do, and asks unless --yes is given.`,
    );
  for (const add of NOUNS) add(command, cli);
  return command;
}

/** Runs one command line, without the program's own name. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const cli = new Cli(terminal);
  try {
    await program(cli).parseAsync(args, { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      if (args.includes('--json')) terminal.out(`${JSON.stringify({ error: usageError(error) }, null, 2)}\n`);
      return 1;
    }
    throw error;
  }
}

/** What stands on stderr, for a script. */
const usageError = ({ message }: CommanderError) => ({ code: 'usage.invalid', message: message.replace(/^error: /, '') });
