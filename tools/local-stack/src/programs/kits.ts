import { releasePlatform } from '../nats-server/releases.js';

/** Programs of others that come together: from one package, one archive, one Go module. */
export interface Kit {
  name: 'prometheus' | 'alertmanager' | 'jaeger';
  /** Names of the programs, as we call them; the first is asked for its version. */
  programs: readonly string[];
  /** Oldest version that does. */
  floor: string;
  /** Other names of a program on the PATH. */
  alias?: Readonly<Record<string, string>>;
  /** Debian's package and what it calls the programs; absent where it has none. */
  debian?: { package: string; files: Readonly<Record<string, string>> };
  /** The archive of a release, and what it calls the programs. `sums` lists the checksums of all its archives. */
  release: {
    version: string;
    archive: (platform: string) => string;
    sums: (platform: string) => string;
    files: Readonly<Record<string, string>>;
  };
  /** Module, version and package of each program, and the variable that holds its version when it is compiled. */
  go: { module: string; version: string; packages: Readonly<Record<string, string>>; versionVariable?: string };
}

const same = (...names: string[]) => Object.fromEntries(names.map((name) => [name, name]));
const github = (project: string, tag: string) => `https://github.com/${project}/releases/download/${tag}`;

/** Versions move together here: what a release brings and what Go compiles is the same one. */
export const kits: Readonly<Record<Kit['name'], Kit>> = {
  prometheus: {
    name: 'prometheus',
    programs: ['prometheus', 'promtool'],
    floor: '2.42.0',
    debian: { package: 'prometheus', files: { prometheus: 'usr/bin/prometheus', promtool: 'usr/bin/promtool' } },
    release: {
      version: '2.53.3',
      archive: (platform) => `${github('prometheus/prometheus', 'v2.53.3')}/prometheus-2.53.3.${platform}.tar.gz`,
      sums: () => `${github('prometheus/prometheus', 'v2.53.3')}/sha256sums.txt`,
      files: same('prometheus', 'promtool'),
    },
    go: {
      module: 'github.com/prometheus/prometheus',
      version: 'v0.53.3',
      versionVariable: 'github.com/prometheus/common/version.Version',
      packages: { prometheus: './cmd/prometheus', promtool: './cmd/promtool' },
    },
  },
  alertmanager: {
    // Debian's finds its templates only when it is installed (then it is on the PATH): unpacked elsewhere it ends at once.
    name: 'alertmanager',
    programs: ['alertmanager', 'amtool'],
    alias: { alertmanager: 'prometheus-alertmanager' },
    floor: '0.25.0',
    release: {
      version: '0.28.1',
      archive: (platform) => `${github('prometheus/alertmanager', 'v0.28.1')}/alertmanager-0.28.1.${platform}.tar.gz`,
      sums: () => `${github('prometheus/alertmanager', 'v0.28.1')}/sha256sums.txt`,
      files: same('alertmanager', 'amtool'),
    },
    go: {
      module: 'github.com/prometheus/alertmanager',
      version: 'v0.28.1',
      versionVariable: 'github.com/prometheus/common/version.Version',
      packages: { alertmanager: './cmd/alertmanager', amtool: './cmd/amtool' },
    },
  },
  jaeger: {
    name: 'jaeger',
    programs: ['jaeger'],
    floor: '2.0.0',
    release: {
      version: '2.13.0',
      archive: (platform) => `${github('jaegertracing/jaeger', 'v2.13.0')}/jaeger-2.13.0-${platform}.tar.gz`,
      sums: (platform) => `${github('jaegertracing/jaeger', 'v2.13.0')}/jaeger-2.13.0-${platform}.sha256sum.txt`,
      files: same('jaeger'),
    },
    // The same sources have both numbers: 1.76.0 is what the module is called, 2.13.0 the program.
    go: { module: 'github.com/jaegertracing/jaeger', version: 'v1.76.0', packages: { jaeger: './cmd/jaeger' } },
  },
};

/** This machine in the words of Prometheus' releases: `linux-amd64`. */
export const platformOf = (): string => releasePlatform();
