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

/** Three kinds of test, by file suffix: `.unit.spec` without I/O, `.int.spec` on real Postgres and NATS, `.e2e.spec` on built processes. */
export default {
  projects: ['unit', 'int', 'e2e'].map((kind) => ({
    ...common,
    displayName: kind,
    rootDir: import.meta.dirname,
    testMatch: [`<rootDir>/**/*.${kind}.spec.ts`],
  })),
};
