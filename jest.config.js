// fused kernels are for these backends; test/support/announce.ts says so where none is named
const fused = !process.env.BACKENDS || /cpu|wasm/.test(process.env.BACKENDS);

/** @type {import('jest').Config} */
module.exports = {
  testPathIgnorePatterns: fused ? [] : ['<rootDir>/test/parity/'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testEnvironment: '<rootDir>/test/support/environment.ts',
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
