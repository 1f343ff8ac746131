/** An app of a few lines, built by Vite from the packages that npm would install. */
import {spawnSync} from 'node:child_process';
import {cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const ROOT = join(__dirname, '../..');
const HTML = '<!doctype html><script type="module" src="/main.ts"></script>';
const MAIN = `
  import * as tf from '@tensorflow/tfjs';
  import {setWasmPaths} from '@tensorflow/tfjs-backend-wasm';
  import '@tensorflow/tfjs-backend-webgpu';
  import * as tfjsLocalAttention from 'tfjs-local-attention';

  setWasmPaths('/');
  Object.assign(globalThis, {tf, tfjsLocalAttention});`;

/** Builds it and returns the folder to serve, in one that the caller removes. */
export function buildApp(main = MAIN): {served: string; project: string} {
  const project = mkdtempSync(join(tmpdir(), 'app-'));
  const packages = join(project, 'node_modules');
  const ours = join(packages, 'tfjs-local-attention');
  mkdirSync(ours, {recursive: true});
  for (const part of ['package.json', 'dist']) cpSync(join(ROOT, part), join(ours, part), {recursive: true}); // prettier-ignore
  symlinkSync(join(ROOT, 'node_modules/@tensorflow'), join(packages, '@tensorflow'));
  writeFileSync(join(project, 'index.html'), HTML);
  writeFileSync(join(project, 'main.ts'), main);
  const vite = join(ROOT, 'node_modules/vite/bin/vite.js');
  const {status, stderr} = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'error'], {
    cwd: project,
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (status !== 0) throw new Error(`vite ended with ${status}: ${stderr}`);
  return {served: join(project, 'dist'), project};
}
