/** Who may import whom. A new file in src finds its place in ORDER, or is refused. */
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';

import {Import, importsOf} from './support/imports';

const ROOT = join(__dirname, '..');
const TFJS = '@tensorflow/tfjs';
/** What not every platform has. */
const OF_A_PLATFORM = /^(@tensorflow\/tfjs-(backend-\w+|node)|node:\w+)$/;

/** Each file of src may import those of the lines above its own. */
const ORDER = [
  ['errors'],
  ['options'],
  ['config'],
  ['problem'],
  ['rotary', 'window'],
  ['phases'],
  ['l2_normalize', 'dropout', 'multiply', 'nothing'],
  ['composite'],
  ['composite_gradient'],
  ['fused'],
  ['local_attention'],
  ['local_mha'],
];

/** The WebAssembly program, which any backend may run on a memory of its own. */
const PROGRAM = ['arena', 'module', 'run'].map((name) => `kernels/wasm/${name}`);

const rank = (path: string) => ORDER.findIndex((row) => row.includes(path.slice('src/'.length)));

/** Why `path` (no extension) may not import this, or null if it may. */
function refusal(path: string, {target, typeOnly}: Import): string | null {
  const [room, folder] = path.split('/');
  const [targetRoom, targetFolder] = target.split('/');
  if (path === 'src/index') {
    if (targetRoom === 'src' && targetFolder === 'node') return 'the door leads to every platform';
    return ['src', 'layers', 'kernels'].includes(targetRoom) ? null : 'the door only re-exports';
  }
  if (target === TFJS) return null;
  if (path.startsWith('src/node/')) {
    const allowed = /^(node:.*|src\/errors|src\/node\/\w+)$/.test(target);
    return allowed ? null : 'src/node imports errors, node: and tfjs alone';
  }
  if (!['src', 'layers', 'kernels'].includes(targetRoom)) {
    if (room !== 'kernels' || !OF_A_PLATFORM.test(target)) return `${TFJS} is the only package`;
    return typeOnly ? null : 'a kernel imports its platform as types only';
  }
  if (target === 'src/index' || target === 'src') return 'the door is for users';
  if (target.startsWith('src/node')) return 'src/node is for Node alone';
  if (room === 'src') {
    if (targetRoom !== 'src') return 'src imports neither layers nor kernels';
    return rank(target) < rank(path) ? null : 'src imports only what comes before it';
  }
  if (room === 'layers') return targetRoom === 'kernels' ? 'layers never import kernels' : null;
  if (targetRoom === 'layers') return 'kernels never import layers';
  const isIndex = path === 'kernels/index';
  const away = targetRoom === 'kernels' && targetFolder !== folder && !PROGRAM.includes(target);
  return away && !isIndex ? 'a kernel folder never imports another' : null;
}

/** One sentence for each import that breaks a law. */
function violations(files: Record<string, string>): string[] {
  return Object.entries(files).flatMap(([name, source]) => {
    const path = name.replace(/\.ts$/, '');
    const placed = path === 'src/index' || !/^src\/\w+$/.test(path) || rank(path) >= 0;
    const broken = importsOf(name, source).flatMap((imported) => {
      const reason = refusal(path, imported);
      return reason === null ? [] : [`${path} imports ${imported.target}: ${reason}`];
    });
    return placed ? broken : [`${path} has no place in ORDER`, ...broken];
  });
}

/** Every .ts file under these folders by its path from the root. */
function shipped(): Record<string, string> {
  const folders = ['src', 'layers', 'kernels'].filter((folder) => existsSync(join(ROOT, folder)));
  const names = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), {recursive: true, encoding: 'utf8'})
      .map((name) => `${folder}/${name.replace(/\\/g, '/')}`)
      .filter((name) => name.endsWith('.ts')),
  );
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(ROOT, name), 'utf8')]));
}

test('no file that ships imports what it may not', () => {
  const files = shipped();
  expect(Object.keys(files)).toEqual(
    expect.arrayContaining(['src/index.ts', 'src/node/index.ts', 'layers/index.ts']),
  );
  expect(violations(files)).toEqual([]);
});

test('each file in ORDER is there', () => {
  const missing = ORDER.flat().filter((name) => !existsSync(join(ROOT, 'src', `${name}.ts`)));
  expect(missing).toEqual([]);
});

const NEITHER = 'src imports neither layers nor kernels';
const ONLY = `${TFJS} is the only package`;

test.each([
  ['src/window.ts', "import {x} from '../layers';", 'layers', NEITHER],
  ['src/window.ts', "import type {X} from '../kernels/wasm';", 'kernels/wasm', NEITHER],
  ['src/config.ts', "import {p} from './problem';", 'src/problem', 'src imports only what comes'],
  ['src/window.ts', "import {a} from './rotary';", 'src/rotary', 'src imports only what comes'],
  ['src/fused.ts', "export * from './local_attention';", 'src/local_attention', 'src imports only'],
  ['src/problem.ts', "import type {T} from './composite';", 'src/composite', 'src imports only'],
  ['src/rotary.ts', "import fs from 'node:fs';", 'node:fs', ONLY],
  ['src/rotary.ts', "const fs = require('fs');", 'fs', ONLY],
  ['src/rotary.ts', "const m = await import('lodash');", 'lodash', ONLY],
  ['src/rotary.ts', "type T = import('three').Vector3;", 'three', ONLY],
  ['src/rotary.ts', "import {x} from '@tensorflow/tfjs/dist/x';", '@tensorflow/tfjs/dist/x', ONLY],
  ['src/rotary.ts', "import {x} from '@tensorflow/tfjs-core';", '@tensorflow/tfjs-core', ONLY],
  ['src/rotary.ts', "import {x} from './node/file_system';", 'src/node/file_system', 'src/node is'],
  ['src/composite.ts', "import {naive} from '../test/support/naive';", 'test/support/naive', ONLY],
  ['src/composite.ts', "import '../bench/run';", 'bench/run', ONLY],
  ['src/index.ts', "export * from './node';", 'src/node', 'the door leads to every platform'],
  ['src/index.ts', "import '../examples/quickstart';", 'examples/quickstart', 'the door only'],
  ['src/node/index.ts', "import {c} from '../config';", 'src/config', 'src/node imports errors'],
  ['src/node/index.ts', "import fs from 'fs';", 'fs', 'src/node imports errors'],
  [
    'layers/local_mha.ts',
    "import {k} from '../kernels';",
    'kernels',
    'layers never import kernels',
  ],
  ['layers/local_mha.ts', "import {rotary} from '../src';", 'src', 'the door is for users'],
  ['layers/local_mha.ts', "import {c} from '../examples/cli';", 'examples/cli', ONLY],
  ['kernels/webgl/index.ts', "import {s} from '../wasm/x';", 'kernels/wasm/x', 'a kernel folder'],
  ['kernels/webgl/index.ts', "import {l} from '../../layers';", 'layers', 'kernels never import'],
  [
    'kernels/webgl/index.ts',
    "import {MathBackendWebGL} from '@tensorflow/tfjs-backend-webgl';",
    '@tensorflow/tfjs-backend-webgl',
    'a kernel imports its platform as types only',
  ],
  ['kernels/wasm/x.ts', "import os from 'node:os';", 'node:os', 'a kernel imports its platform'],
])('in %s, %s is caught', (path, source, target, reason) => {
  const found = violations({[path]: source});
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(`${path.replace('.ts', '')} imports ${target}: ${reason}`);
});

test('a file that ORDER does not know is caught', () => {
  expect(violations({'src/utils.ts': ''})).toEqual(['src/utils has no place in ORDER']);
});

test('what is allowed is let through', () => {
  const files = {
    'src/index.ts': "export * from '../layers'; import '../kernels';",
    'src/node/index.ts': "import fs from 'node:fs'; import {fail} from '../errors';",
    'src/local_mha.ts':
      "import {attend} from './composite'; import * as tf from '@tensorflow/tfjs';",
    'layers/local_mha.ts': "import {localMHA} from '../src/local_mha'; import './inputs';",
    'kernels/index.ts': "import './wasm'; import './webgl';",
    'kernels/webgl/index.ts':
      "import type {B} from '@tensorflow/tfjs-backend-webgl'; import {p} from '../../src/problem';",
    'kernels/wasm/x.ts': "type Workers = typeof import('node:worker_threads');",
    'kernels/webgl/story.ts': "import './index'; // import 'lodash'",
  };
  expect(violations(files)).toEqual([]);
});
