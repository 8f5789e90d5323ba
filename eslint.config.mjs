import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

const driversOfTheOutsideWorld = ['@nestjs/*', 'pg', 'kysely', 'stripe', '@nats-io/*', 'node:*', 'fastify', 'undici', 'pino'];

/** The architecture as lint: which layer may see which, and which files stay pure. */
export default tseslint.config(
  { ignores: ['**/dist/', 'services/*/bundle/', '**/node_modules/', '.tidegate/', '.nx/', '**/generated/', '**/coverage/'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  prettier,
  {
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        fetch: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        setImmediate: 'readonly',
        AbortSignal: 'readonly',
        AbortController: 'readonly',
        performance: 'readonly',
        TextDecoder: 'readonly',
        TextEncoder: 'readonly',
        structuredClone: 'readonly',
      },
    },
    plugins: { '@nx': nx },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'No default exports: name what you export.' }],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Configuration is read in config.ts and passed in.' },
      ],
    },
  },
  {
    files: ['**/*.mjs', '**/config.ts', 'tools/**', 'libs/test-harness/**', '**/*.spec.ts', 'bench/**', 'chaos/**', 'examples/**'],
    rules: { 'no-restricted-syntax': 'off', 'no-restricted-properties': 'off' },
  },
  {
    files: ['libs/**/*.ts', 'services/**/*.ts', 'tools/**/*.ts', 'examples/**/*.ts'],
    // Tests may use the harness, which itself stands on the libraries they test.
    ignores: ['**/*.spec.ts', '**/*.features.ts', '*/*/test/**'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: false,
          allow: [],
          depConstraints: [
            { sourceTag: 'layer:pure', onlyDependOnLibsWithTags: ['layer:pure'] },
            { sourceTag: 'layer:lib', onlyDependOnLibsWithTags: ['layer:pure', 'layer:lib'] },
            { sourceTag: 'layer:service', onlyDependOnLibsWithTags: ['layer:pure', 'layer:lib', 'layer:test'] },
            { sourceTag: 'layer:simulator', onlyDependOnLibsWithTags: ['layer:simulator'] },
            {
              sourceTag: 'layer:test',
              onlyDependOnLibsWithTags: ['layer:pure', 'layer:lib', 'layer:test', 'layer:tool', 'layer:simulator'],
            },
            { sourceTag: 'layer:tool', onlyDependOnLibsWithTags: ['layer:pure', 'layer:lib', 'layer:tool', 'layer:simulator'] },
            // It is in the image, which holds the libraries and no other tool.
            { sourceTag: 'scope:cli', onlyDependOnLibsWithTags: ['layer:pure', 'layer:lib', 'scope:cli'] },
            { sourceTag: 'layer:example', onlyDependOnLibsWithTags: ['layer:pure', 'layer:lib', 'layer:test'] },
          ],
        },
      ],
    },
  },
  {
    files: ['libs/{contracts,money,resilience}/src/**/*.ts', 'services/*/src/**/*.{events,state,commands,refusals,decide}.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: driversOfTheOutsideWorld.map((group) => ({
            group: [group],
            message: 'This file is pure: no framework, driver or Node API.',
          })),
        },
      ],
      'no-restricted-globals': ['error', 'process', 'setTimeout', 'setInterval', 'fetch'],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Time comes in as a parameter.' },
        { object: 'Math', property: 'random', message: 'Randomness comes in as a parameter.' },
      ],
    },
  },
  {
    files: ['libs/**/src/**/*.ts', 'services/**/src/**/*.ts', 'tools/**/src/**/*.ts'],
    ignores: [
      'libs/stripe-gateway/**',
      'libs/contracts/**',
      'libs/money/**',
      'libs/resilience/**',
      '**/*.spec.ts',
      'services/*/src/**/*.{events,state,commands,refusals,decide}.ts',
    ],
    rules: { 'no-restricted-imports': ['error', { paths: [{ name: 'stripe', message: 'Only libs/stripe-gateway talks to Stripe.' }] }] },
  },
);
