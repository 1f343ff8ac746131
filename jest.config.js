// where backends are named, what is not about them is left out; test/support/announce.ts says so
const named = process.env.BACKENDS?.split(',').map((name) => name.trim()) ?? null;
const isNamed = (...names) => !named || names.some((name) => named.includes(name));
const notAboutThem = [
  ...(isNamed('cpu', 'wasm', 'tensorflow') ? [] : ['<rootDir>/test/parity/']),
  ...(isNamed('cpu', 'wasm', 'tensorflow', 'webgpu') ? [] : ['<rootDir>/test/(?!browser/)']),
];

// as many as are free, but two where there are two: one would leave a core idle
const maxWorkers = Math.max(2, require('node:os').availableParallelism() - 1);

/** @type {import('jest').Config} */
module.exports = {
  testSequencer: '<rootDir>/test/support/longest_first.js',
  maxWorkers,
  testPathIgnorePatterns: notAboutThem,
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testEnvironment: '<rootDir>/test/support/environment.ts',
  setupFilesAfterEnv: ['<rootDir>/test/support/setup.ts'],
  testTimeout: 60_000, // a software GPU takes a second to compile a shader
  globalSetup: '<rootDir>/test/support/announce.ts',
  transform: {
    '^.+\\.ts$': [
      'ts-jest',
      {
        tsconfig: {
          ...require('./tsconfig.json').compilerOptions,
          module: 'CommonJS',
          moduleResolution: 'node10',
          isolatedModules: true, // types are checked once, by npm run check
        },
      },
    ],
  },
  moduleNameMapper: {
    '^tfjs-local-attention$': '<rootDir>/src/index.ts',
    '^tfjs-local-attention/node$': '<rootDir>/src/node/index.ts',
  },
};
