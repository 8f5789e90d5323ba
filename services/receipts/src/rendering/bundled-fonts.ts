import { createRequire } from 'node:module';
import type { WorkerSettings } from './typst.worker.js';

const require = createRequire(import.meta.url);

/** The exact weights that the templates ask for, so that none is taken from the system. All are under the SIL Open Font License 1.1. */
const FONTS = [
  {
    family: 'Inter',
    files: ['inter/400Regular/Inter_400Regular', 'inter/500Medium/Inter_500Medium', 'inter/600SemiBold/Inter_600SemiBold'],
  },
  {
    family: 'IBM Plex Sans Arabic',
    files: [
      'ibm-plex-sans-arabic/400Regular/IBMPlexSansArabic_400Regular',
      'ibm-plex-sans-arabic/500Medium/IBMPlexSansArabic_500Medium',
      'ibm-plex-sans-arabic/600SemiBold/IBMPlexSansArabic_600SemiBold',
    ],
  },
  { family: 'BIZ UDPGothic', files: ['biz-udpgothic/400Regular/BIZUDPGothic_400Regular', 'biz-udpgothic/700Bold/BIZUDPGothic_700Bold'] },
] as const;

/** Inter for Latin, Greek and Cyrillic, IBM Plex Sans Arabic, and BIZ UDPGothic for kana and the Han characters of Japanese. */
export function bundledFonts(): WorkerSettings['fonts'] {
  return FONTS.flatMap(({ family, files }) => files.map((file) => ({ file: require.resolve(`@expo-google-fonts/${file}.ttf`), family })));
}

/** Version of the engine's npm package, part of what a document records. */
export function engineVersion(): string {
  return (require('@myriaddreamin/typst-ts-node-compiler/package.json') as { version: string }).version;
}
