/** SHA-256 of the official release archives of nats-server, as the releases' own SHA256SUMS give them, by version and `<os>-<architecture>` in Go's words. */
export const releases: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '2.12.8': {
    'darwin-amd64': '8880e133f45c6974468d351425db9a73ffe3b569850cad2bfbaa349d80939a7f',
    'darwin-arm64': '4556a7f617eb532587790344629a6a95261099b236524b764d1f10d6c14aba1a',
    'linux-amd64': '6abc397684567e133649688a13564ad6de786d64e88253fbb4f6a3aa8c2fca63',
    'linux-arm64': '7d20e93c23924cdd5cb6ec51c92f9478c97f9c8a0dbe049dd7ab88af115d622c',
  },
  '2.14.5': {
    'darwin-amd64': 'f95c98d6b6ed2b63c5681b46b092c9585c99767d547cf495730c329234625e96',
    'darwin-arm64': 'ddd907854d9a2de834af133fa396915fe6442fe6d8909ae31390d1ea7a0fea50',
    'linux-amd64': '5e3b603d47c447bda1f77f9ac16dbf91c90aac4ff3681f8fbbc7201e4ed99355',
    'linux-arm64': '673a98d3faa79dde3f9ebf16d6dfac36a5f694e7ad2015e4954dd7939c85cd4c',
  },
};

/** The version that everything runs on unless told otherwise. */
export const pinnedVersion = '2.14.5';

/** The oldest version that Tidegate supports: Debian 12's. */
export const oldestVersion = '2.9.10';

/** Name of the archive of a release; it holds one folder of the same name without `.tar.gz`, and the program in it. */
export function archiveName(version: string, platform: string): string {
  return `nats-server-v${version}-${platform}.tar.gz`;
}

/** This machine in the words of the releases: `linux-amd64`, `darwin-arm64`. */
export function releasePlatform(os: string = process.platform, architecture: string = process.arch): string {
  return `${os}-${architecture === 'x64' ? 'amd64' : architecture}`;
}
