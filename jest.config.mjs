const common = {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['tidegate-source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          target: 'es2024',
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/', '<rootDir>/services/.*/bundle/', '<rootDir>/.tidegate/'],
};

const project = (displayName, ...testMatch) => ({ ...common, displayName, rootDir: import.meta.dirname, testMatch });

/**
 * Kinds of test, by file suffix: `.unit.spec` without I/O, `.int.spec` on real Postgres and NATS, `.e2e.spec` on built processes, `.attack.spec` those that
 * torment them all at once for a minute and more. `.long.spec` is for `npm run verify`: installs of packages, and what the others show in a shorter form.
 * `unit-together` and `int-together` are all of a kind, many specs to a file, as `npm test` runs them.
 */
export default {
  projects: [
    project('unit', '<rootDir>/**/*.unit.spec.ts'),
    project('int', '<rootDir>/**/*.int.spec.ts'),
    project('unit-together', '<rootDir>/libs/test-harness/suites/unit/*.suite.ts'),
    project('int-together', '<rootDir>/libs/test-harness/suites/int/*.suite.ts'),
    project('e2e', '<rootDir>/**/*.e2e.spec.ts'),
    project('attack', '<rootDir>/**/*.attack.spec.ts'),
    project('long', '<rootDir>/**/*.long.spec.ts'),
  ],
};
