// fused kernels are for these backends; test/support/announce.ts says so where none is named
const fused = !process.env.BACKENDS || /cpu|wasm/.test(process.env.BACKENDS);

// as many as are free, but two where there are two: one would leave a core idle
const maxWorkers = Math.max(2, require('node:os').availableParallelism() - 1);

/** @type {import('jest').Config} */
module.exports = {
  maxWorkers,
  testPathIgnorePatterns: fused ? [] : ['<rootDir>/test/parity/'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testEnvironment: '<rootDir>/test/support/environment.ts',
  setupFilesAfterEnv: ['<rootDir>/test/support/each_test.ts'],
  testTimeout: 30_000, // a software GPU takes a second to compile a shader
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
