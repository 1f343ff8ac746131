/** What the page of the bench is made of, served to this machine alone. */
import {existsSync, readFileSync} from 'node:fs';
import {Server, createServer} from 'node:http';
import {AddressInfo} from 'node:net';
import path from 'node:path';
import {build} from 'esbuild';

import {Skipped} from '../candidate';
import {PEERS_HOME, peer} from '../candidates/peers/installed';
import {Protobuf, onnxModel} from '../candidates/peers/onnx_graph';
import type {Workload} from '../workloads';

const TYPES: Record<string, string> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** A page tells time to 5 µs if it is isolated, to 100 otherwise. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export interface Served {
  address: string;
  server: Server;
}

interface Answer {
  status: number;
  type: string;
  body: string | Uint8Array;
}

const MISSING: Answer = {status: 404, type: 'text/plain', body: 'not found'};

export async function serve(): Promise<Served> {
  const script = await bundle();
  const server = createServer(({url = '/'}, response) => {
    const {status, type, body} = answerTo(decodeURIComponent(url), script);
    response.writeHead(status, {'Content-Type': type, ...ISOLATION}).end(body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server};
}

/** `/`, `/page.js`, ONNX models at `/model?{workload}`, and `/peers/…` of bench/peers/node_modules. */
function answerTo(url: string, script: string): Answer {
  const [at, query] = url.split('?');
  const ok = (type: string, body: string | Uint8Array) => ({status: 200, type, body});
  if (at === '/') return ok('text/html', '<script src="page.js"></script>');
  if (at === '/page.js') return ok(TYPES['.js'], script);
  if (at === '/model') return modelOf(JSON.parse(query) as Workload);
  const [, name] = path.posix.normalize(at).match(/^\/peers\/(.*)$/) ?? [];
  const file = path.join(PEERS_HOME, 'node_modules', name ?? '');
  const type = TYPES[path.extname(file)];
  return name && type && existsSync(file) ? ok(type, readFileSync(file)) : MISSING;
}

function modelOf(workload: Workload): Answer {
  try {
    const body = onnxModel(peer<Protobuf>('protobufjs'), workload);
    return {status: 200, type: 'application/octet-stream', body};
  } catch (error) {
    if (error instanceof Skipped) return {...MISSING, body: error.message};
    throw error;
  }
}

async function bundle(): Promise<string> {
  const {outputFiles} = await build({
    entryPoints: [path.join(__dirname, 'page.ts')],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'error',
    external: ['node:*'],
    ignoreAnnotations: true, // the package's own say that only dist has side effects
  });
  return outputFiles[0].text;
}
