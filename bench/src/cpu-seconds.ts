import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks of /proc per second, on every Linux that Node runs on. */
const TICKS = 100;

/** CPU seconds that a process and its living children have used, by /proc; NaN on other systems. Linux adds an ended child to its parent. */
export function cpuSeconds(pid: number): number {
  try {
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const family = all.flatMap((name) => statOf(name) ?? []).filter((one) => one.pid === pid || one.parent === pid);
    return family.reduce((sum, { ticks }) => sum + ticks, 0) / TICKS;
  } catch {
    return Number.NaN;
  }
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; the fields after the name, which may hold anything, are counted from its closing bracket. */
function statOf(name: string): { pid: number; parent: number; ticks: number } | null {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [parent, user, system, childUser, childSystem] = [1, 11, 12, 13, 14].map((at) => fields[at]!);
    return { pid: Number(name), parent: parent!, ticks: user! + system! + childUser! + childSystem! };
  } catch {
    return null;
  }
}
