import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'kernels/program/assembly/',
      'dist/',
      'site/',
      'node_modules/',
      'models/*/',
      '.tfjs-node/',
      '.tfjs-node-gpu/',
      '.venv/',
      '.node24/',
      'bench/peers/',
    ],
  },
  js.configs.recommended,
  tseslint.configs.recommended,
  {
    files: ['**/*.js'],
    languageOptions: {globals: {module: 'writable', process: 'readonly', require: 'readonly'}},
    rules: {'@typescript-eslint/no-require-imports': 'off'},
  },
  {
    rules: {
      eqeqeq: ['error', 'always', {null: 'ignore'}],
      '@typescript-eslint/no-unused-vars': ['error', {ignoreRestSiblings: true}],
    },
  },
);
