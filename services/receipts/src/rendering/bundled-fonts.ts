import { createRequire } from 'node:module';
import type { WorkerSettings } from './typst.worker.js';

const require = createRequire(import.meta.url);

/** Inter (SIL Open Font License 1.1): Latin, Greek and Cyrillic. The exact weights that the templates ask for, so none is taken from the system. */
export function bundledFonts(): WorkerSettings['fonts'] {
  return ['400Regular/Inter_400Regular', '500Medium/Inter_500Medium', '600SemiBold/Inter_600SemiBold'].map((file) => ({
    file: require.resolve(`@expo-google-fonts/inter/${file}.ttf`),
    family: 'Inter',
  }));
}

/** Version of the engine's npm package, part of what a document records. */
export function engineVersion(): string {
  return (require('@myriaddreamin/typst-ts-node-compiler/package.json') as { version: string }).version;
}
