/** One line of `stack.json`. */
export interface ListedProcess {
  name: string;
  /** From 1. */
  replica: number;
  /** null while it is down. */
  pid: number | null;
  port: number;
  /** Without credentials; those are in `local.env`. */
  url: string;
  log: string;
  /** null for processes that keep nothing on disk. */
  data_dir: string | null;
}
