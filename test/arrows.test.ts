/** Who may import whom: arrows between rooms, and no circle among files. */
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';

import {Import, importsOf} from './support/imports';

const ROOT = join(__dirname, '..');
const TFJS = '@tensorflow/tfjs';
/** What not every platform has. */
const OF_A_PLATFORM = /^(@tensorflow\/tfjs-(backend-\w+|node)|node:\w+)$/;

/**
 * The rooms, and whom each may import besides itself; a room is a folder, or the longest of these
 * that a path begins with. What a room does not name is refused, and so is a file in no room.
 */
const CONTRACT = ['config', 'decode_fused', 'dropout', 'facts', 'fused', 'kept_tables', 'problem', 'visibility']; // prettier-ignore
const OF_CONTRACT = ['src/check', ...CONTRACT.map((name) => `src/attention/${name}`)];
const MEANING = ['src/check', 'src/rotary', 'src/attention', 'src/nn'];
const ROOMS: Record<string, readonly string[]> = {
  'src/index': ['src', 'layers', 'models', 'kernels'],
  'src/check': [],
  'src/rotary': ['src/check'],
  'src/attention': ['src/check', 'src/rotary'],
  'src/nn': ['src/check', 'src/rotary', 'src/attention'],
  'src/node': ['src/check/errors'],
  'src/verify': ['src/check', 'src/attention'],
  layers: MEANING,
  'layers/keras': MEANING,
  models: [...MEANING, 'layers'],
  'kernels/index': ['src/attention/fused', 'kernels'],
  'kernels/program': OF_CONTRACT,
  'kernels/cpu': [...OF_CONTRACT, 'kernels/program'],
  'kernels/wasm': [...OF_CONTRACT, 'kernels/program'],
  'kernels/tensorflow': [...OF_CONTRACT, 'kernels/program'],
  'kernels/webgl': OF_CONTRACT,
  'kernels/webgpu': OF_CONTRACT,
  // what is one kernel there is an operation here; and a layer of TF.js gets the closed form of ours
  'kernels/tfjs': ['src/nn/attend_heads', 'src/nn/layer_norm', 'src/nn/kernel_result', 'src/nn/own_kernel', 'kernels/program', 'kernels/cpu', 'kernels/wasm', 'kernels/tensorflow'], // prettier-ignore
};

const within = (path: string, place: string) => path === place || path.startsWith(`${place}/`);

function roomOf(path: string): string | undefined {
  const around = Object.keys(ROOMS).filter((room) => within(path, room));
  return around.sort((a, b) => b.length - a.length)[0];
}

/** Why `path` (no extension) may not import this, or null if it may. */
function refusal(path: string, {target, typeOnly}: Import): string | null {
  if (target === TFJS) return null;
  const room = roomOf(path);
  if (room === undefined) return 'it is in no room';
  if (!/^(src|layers|models|kernels)(\/|$)/.test(target)) {
    if (room === 'src/node' && target.startsWith('node:')) return null;
    if (!path.startsWith('kernels/') || !OF_A_PLATFORM.test(target)) {
      return `${TFJS} is the only package`;
    }
    return typeOnly ? null : 'a kernel imports its platform as types only';
  }
  if (within(target, 'src/node') && room !== 'src/node') return 'src/node is for Node alone';
  const keras = room === 'layers' ? ['layers/keras'] : [];
  const own = within(target, room) && roomOf(target) === room;
  if (own || [...ROOMS[room], ...keras].some((place) => within(target, place))) return null;
  if (target === 'src' || target === 'src/index') return 'the door is for users';
  return `${room} does not import that`;
}

/** One sentence for each import that breaks a law. */
function violations(files: Record<string, string>): string[] {
  return Object.entries(files).flatMap(([name, source]) => {
    const path = name.replace(/\.ts$/, '');
    const broken = importsOf(name, source).flatMap((imported) => {
      const reason = refusal(path, imported);
      return reason === null ? [] : [`${path} imports ${imported.target}: ${reason}`];
    });
    return roomOf(path) === undefined ? [`${path} is in no room`, ...broken] : broken;
  });
}

/** Circles of files that import one another, as paths from one back to itself. */
function circles(files: Record<string, string>): string[] {
  const next = new Map(
    Object.entries(files).map(([name, source]) => {
      const path = name.replace(/\.ts$/, '');
      return [path, importsOf(name, source).filter((one) => !one.typeOnly)] as const;
    }),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: string[]) => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(' > '));
    if (done.has(path) || trail.includes(path)) return;
    const ahead = next.get(path) ?? next.get(`${path}/index`) ?? [];
    for (const {target} of ahead) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of next.keys()) visit(path, []);
  return found;
}

/** Every .ts file under these folders by its path from the root. */
function shipped(): Record<string, string> {
  const folders = ['src', 'layers', 'models', 'kernels'].filter((folder) =>
    existsSync(join(ROOT, folder)),
  );
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

test('no files import one another in a circle', () => {
  expect(circles(shipped())).toEqual([]);
  const planted = {
    'src/nn/a.ts': "import {b} from './b';",
    'src/nn/b.ts': "export * from './c';",
    'src/nn/c.ts': "import {a} from './a';",
  };
  expect(circles(planted)).toEqual(['src/nn/a > src/nn/b > src/nn/c > src/nn/a']);
  expect(circles({...planted, 'src/nn/c.ts': "import type {A} from './a';"})).toEqual([]);
});

const ONLY = `${TFJS} is the only package`;
const not = (room: string) => `${room} does not import that`;

test.each([
  ['src/check/options.ts', "import {a} from '../rotary/angles';", 'src/rotary/angles', not('src/check')], // prettier-ignore
  ['src/rotary/angles.ts', "import {c} from '../attention/config';", 'src/attention/config', not('src/rotary')], // prettier-ignore
  ['src/attention/config.ts', "import type {M} from '../nn/local_mha';", 'src/nn/local_mha', not('src/attention')], // prettier-ignore
  ['src/attention/visibility.ts', "import {x} from '../../layers';", 'layers', not('src/attention')], // prettier-ignore
  ['src/attention/fused.ts', "import type {X} from '../../kernels/wasm';", 'kernels/wasm', not('src/attention')], // prettier-ignore
  ['src/nn/local_mha.ts', "export * from '../../layers/local_mha';", 'layers/local_mha', not('src/nn')], // prettier-ignore
  ['src/rotary/angles.ts', "import fs from 'node:fs';", 'node:fs', ONLY],
  ['src/rotary/angles.ts', "const fs = require('fs');", 'fs', ONLY],
  ['src/rotary/angles.ts', "const m = await import('lodash');", 'lodash', ONLY],
  ['src/rotary/angles.ts', "type T = import('three').Vector3;", 'three', ONLY],
  ['src/rotary/angles.ts', "import {x} from '@tensorflow/tfjs/dist/x';", '@tensorflow/tfjs/dist/x', ONLY], // prettier-ignore
  ['src/rotary/angles.ts', "import {x} from '@tensorflow/tfjs-core';", '@tensorflow/tfjs-core', ONLY], // prettier-ignore
  ['src/rotary/angles.ts', "import {x} from '../node/file_system';", 'src/node/file_system', 'src/node is for Node alone'], // prettier-ignore
  ['src/attention/composite.ts', "import {naive} from '../../test/support/naive';", 'test/support/naive', ONLY], // prettier-ignore
  ['src/index.ts', "export * from './node';", 'src/node', 'src/node is for Node alone'],
  ['src/index.ts', "import '../examples/quickstart';", 'examples/quickstart', ONLY],
  ['src/node/index.ts', "import {c} from '../attention/config';", 'src/attention/config', not('src/node')], // prettier-ignore
  ['src/node/index.ts', "import fs from 'fs';", 'fs', ONLY],
  ['src/verify/device.ts', "import {k} from '../../kernels';", 'kernels', not('src/verify')],
  ['src/attention/fused.ts', "import {v} from '../verify/verify';", 'src/verify/verify', not('src/attention')], // prettier-ignore
  ['layers/local_mha.ts', "import {k} from '../kernels';", 'kernels', not('layers')],
  ['layers/local_mha.ts', "import {rotary} from '../src';", 'src', 'the door is for users'],
  ['layers/keras/inputs.ts', "import {L} from '../local_mha';", 'layers/local_mha', not('layers/keras')], // prettier-ignore
  ['models/decoder.ts', "import {k} from '../kernels';", 'kernels', not('models')],
  ['layers/local_mha.ts', "import {d} from '../models/decoder';", 'models/decoder', not('layers')], // prettier-ignore
  [
    'kernels/webgl/index.ts',
    "import {s} from '../wasm/x';",
    'kernels/wasm/x',
    not('kernels/webgl'),
  ],
  ['kernels/webgl/index.ts', "import {s} from '../program/run';", 'kernels/program/run', not('kernels/webgl')], // prettier-ignore
  ['kernels/cpu/index.ts', "import {s} from '../wasm';", 'kernels/wasm', not('kernels/cpu')],
  ['kernels/tensorflow/run.ts', "import {s} from '../cpu';", 'kernels/cpu', not('kernels/tensorflow')], // prettier-ignore
  ['kernels/program/run.ts', "import {s} from '../wasm';", 'kernels/wasm', not('kernels/program')],
  ['kernels/wasm/index.ts', "import {c} from '../../src/attention/composite';", 'src/attention/composite', not('kernels/wasm')], // prettier-ignore
  ['kernels/wasm/index.ts', "import {l} from '../../layers';", 'layers', not('kernels/wasm')],
  ['kernels/webgl/index.ts', "import {B} from '@tensorflow/tfjs-backend-webgl';", '@tensorflow/tfjs-backend-webgl', 'a kernel imports its platform as types only'], // prettier-ignore
  ['kernels/program/x.ts', "import os from 'node:os';", 'node:os', 'a kernel imports its platform'],
])('in %s, %s is caught', (path, source, target, reason) => {
  const found = violations({[path]: source});
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(`${path.replace('.ts', '')} imports ${target}: ${reason}`);
});

test('a file in no room is caught', () => {
  expect(violations({'src/utils.ts': ''})).toEqual(['src/utils is in no room']);
  expect(violations({'kernels/shared/x.ts': ''})).toEqual(['kernels/shared/x is in no room']);
});

test('what is allowed is let through', () => {
  const files = {
    'src/index.ts': "export * from '../layers'; import '../kernels';",
    'src/node/index.ts': "import fs from 'node:fs'; import {fail} from '../check/errors';",
    'src/nn/local_mha.ts':
      "import {a} from '../attention/composite'; import * as tf from '@tensorflow/tfjs';",
    'layers/local_mha.ts': "import {m} from '../src/nn/local_mha'; import './keras/inputs';",
    'kernels/index.ts': "import './wasm'; import './webgl';",
    'kernels/webgl/index.ts':
      "import type {B} from '@tensorflow/tfjs-backend-webgl'; import {p} from '../../src/attention/problem';",
    'kernels/wasm/x.ts':
      "type Workers = typeof import('node:worker_threads'); import '../program/run';",
    'kernels/webgl/story.ts': "import './index'; // import 'lodash'",
  };
  expect(violations(files)).toEqual([]);
});
