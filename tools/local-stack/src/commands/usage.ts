import { StackError } from '../stack-error.js';

/** What `--help` says of a command; those that are not here say it themselves. */
const USAGE: Readonly<Record<string, string>> = {
  start: `Usage: npm start [-- --once | --detach] [--observability] [--replicas payments=3,gateway=2] [--port-base N]

Starts everything on this machine and shows a payment from its beginning to its receipt.
--once           show that, then stop; exit code 1 with the reason when a step failed
--detach         return when all is ready; npm stop ends it
--observability  with Jaeger, Prometheus and dashboards
--replicas       more processes of a service
--port-base      other ports, from 3000 unless told`,
  stop: `Usage: npm stop

Ends what npm start began. Data is kept.`,
  reset: `Usage: npm run reset

Ends what npm start began, and DELETES its data, logs and secrets.`,
  test: `Usage: npm test [-- PATTERN …]

Everything that must hold before a change is merged. A pattern chooses specs by their paths; other arguments go to Jest.`,
  verify: `Usage: npm run verify [-- PATTERN …]

Rewrites generated files; then all of npm test, the long specs, the supply chain, and the oldest supported broker and database.`,
  bench: `Usage: npm run bench -- NAME [--option=VALUE …]

A benchmark prints a ratio against its limit or peer; exit code 1 when that is not reached. Without a name: which there are.`,
  drill: `Usage: npm run drill -- NAME|all

A fault, its alert, its page of the runbook, and nothing left. Without a name: which there are.`,
};

/** The usage when it is asked for. */
export function helpOf(command: string, args: readonly string[]): string | undefined {
  return args.some((one) => one === '--help' || one === '-h') ? USAGE[command] : undefined;
}

/** Throws StackError when a command that takes no arguments is given some, before it has done anything. */
export function refuseArguments(command: string, args: readonly string[]): void {
  if (args.length > 0) throw new StackError(`${command} takes no arguments, and was given ${args.join(' ')}. Nothing was done.`);
}
