import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Ends our children when we die without a chance to do it ourselves (SIGKILL, a crash, a test runner that gives up on its worker).
 *
 * Children live in process groups of their own so that Ctrl-C reaches only the supervisor, which stops them in order. The price is that nobody
 * would stop them after the supervisor's own sudden death; this small shell, holding the other end of a pipe, notices it as end of file.
 */
const script = `
trap '' INT TERM HUP
list=''
while read -r verb pid signal; do
  case "$verb" in
    watch) list="$list $pid:$signal" ;;
    forget) kept=''; for entry in $list; do [ "\${entry%%:*}" = "$pid" ] || kept="$kept $entry"; done; list="$kept" ;;
  esac
done
[ -n "$list" ] || exit 0
for entry in $list; do kill -s "\${entry#*:}" "\${entry%%:*}" 2>/dev/null; done
rounds=0
while [ $rounds -lt 20 ]; do
  alive=''
  for entry in $list; do kill -0 "\${entry%%:*}" 2>/dev/null && alive=yes; done
  [ -n "$alive" ] || exit 0
  sleep 0.5
  rounds=$((rounds + 1))
done
for entry in $list; do kill -s KILL -- "-\${entry%%:*}" 2>/dev/null; done
`;

let reaper: ChildProcess | undefined;

/** From now on that process gets `signal` (then SIGKILL after 10 s) when this process disappears. */
export function watchWithReaper(pid: number, signal: NodeJS.Signals): void {
  tell(`watch ${pid} ${signal.replace('SIG', '')}`);
}

/** To be called once the process has ended, before its pid can belong to somebody else. */
export function forgetInReaper(pid: number): void {
  tell(`forget ${pid} -`);
}

function tell(line: string): void {
  reaper ??= startReaper();
  reaper.stdin?.write(`${line}\n`);
}

function startReaper(): ChildProcess {
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, cwd: '/' });
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  child.stdin?.on('error', () => undefined);
  return child;
}
