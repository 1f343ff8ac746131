/** Programs in a process of their own, for what a process has one of: its addresses, its options. */
import {spawnSync} from 'node:child_process';
import {join} from 'node:path';

const ROOT = join(__dirname, '..', '..');

/** Sources by TypeScript itself: tsx has a WebAssembly memory of its own, of 10 GiB of addresses. */
const COMPILE = `
  const ts = require('typescript');
  const {readFileSync} = require('node:fs');
  const options = {module: 'CommonJS', target: 'ES2022', esModuleInterop: true};
  require.extensions['.ts'] = (module, file) => {
    const {outputText} = ts.transpileModule(readFileSync(file, 'utf8'), {compilerOptions: options});
    module._compile(outputText, file);
  };
  const tf = require('@tensorflow/tfjs');
  const {localAttention, ready} = require('./src');`;

/** KiB of addresses that the process may reserve, and NODE_OPTIONS. */
interface Limits {
  addresses?: number;
  options?: string;
}

/** What the program prints, a line each; it has tf, localAttention and ready, and may await. */
export function runChild(program: string, {addresses, options = ''}: Limits): string[] {
  const limit = addresses ? `ulimit -v ${addresses};` : '';
  const source = `${COMPILE} tf.env().set('IS_TEST', true); (async () => {${program}})();`;
  const command = `${limit} exec "$0" --input-type=commonjs -e "$1"`;
  const {stdout, stderr, status} = spawnSync('bash', ['-c', command, process.execPath, source], {
    cwd: ROOT,
    encoding: 'utf8',
    env: {...process.env, NODE_OPTIONS: options},
    timeout: 120_000,
  });
  if (status !== 0) throw new Error(`the process ended with ${status}: ${stderr}`);
  return stdout.trim().split('\n');
}
