import { goProgram } from './go-program.js';

type Say = (line: string) => void;

/** Renders the chart. */
export const helm = (say: Say): Promise<string> => goProgram({ name: 'helm', package: 'helm.sh/helm/v4/cmd/helm', version: 'v4.3.1' }, say);

/** Checks manifests against JSON schemas. */
export const kubeconform = (say: Say): Promise<string> =>
  goProgram({ name: 'kubeconform', package: 'github.com/yannh/kubeconform/cmd/kubeconform', version: 'v0.8.0' }, say);

/** Reads compose files as Docker Compose does: it is the library that Docker Compose reads them with. */
export const composeSpec = (say: Say): Promise<string> =>
  goProgram({ name: 'compose-spec', package: 'github.com/compose-spec/compose-go/v2/cmd', version: 'v2.16.2' }, say);
