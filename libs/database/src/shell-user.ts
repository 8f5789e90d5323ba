import { userInfo } from 'node:os';

/** Who works in this shell, for the audit. A container runs as a user that has a number and no name: `uid 10001`. */
export function shellUser(look: () => { username: string } = userInfo): string {
  try {
    return look().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
