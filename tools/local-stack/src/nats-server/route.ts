/** Where nats-server may come from, what is wanted, and where finds are kept. */
export interface Search {
  /** Version wanted, without `v`. */
  version: string;
  /** Folder in which this version is kept, as `<cache>/nats-server-<version>/nats-server`. */
  cache: string;
  env: NodeJS.ProcessEnv;
  /** Base of the URL of release archives: `<base>/v<version>/<archive>`. */
  downloadBase: string;
  /** SHA-256 by version and platform; see `releases.ts`. */
  checksums: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** See `downloadDebianPackage`. */
  debianPackage: (name: string, folder: string) => Promise<{ because?: string }>;
  /** Hears one line per route that was tried. */
  say: (line: string) => void;
}

/** What a route came to: the program, or why not. */
export type Outcome = { found: string } | { because: string };

/** One way to get the program. It reports failure as data, so that the next route has its turn. */
export interface Route {
  /** As it reads in the log: `the cache`, `the release archive`. */
  name: string;
  /** What a person would do to make this route work; for the error when none did. */
  advice: string;
  look(search: Search): Promise<Outcome>;
}
