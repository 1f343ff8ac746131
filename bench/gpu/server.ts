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

/** `/`, `/page.js`, `/peers/…` of bench/peers/node_modules, and ONNX models at `/model?{workload}`. */
export async function serve(): Promise<Served> {
  const script = await bundle();
  const server = createServer(({url = '/'}, response) => {
    const answer = (type: string, body: string | Uint8Array) =>
      response.writeHead(200, {'Content-Type': type, ...ISOLATION}).end(body);
    const [at, query] = decodeURIComponent(url).split('?');
    if (at === '/') answer('text/html', '<script src="page.js"></script>');
    else if (at === '/page.js') answer('text/javascript', script);
    else if (at === '/model') {
      try {
        answer('application/octet-stream', modelOf(JSON.parse(query) as Workload));
      } catch (error) {
        if (!(error instanceof Skipped)) throw error;
        response.writeHead(404).end(error.message);
      }
    } else {
      const file = path.join(PEERS_HOME, 'node_modules', path.posix.normalize(at).slice('/peers/'.length)); // prettier-ignore
      if (at.startsWith('/peers/') && existsSync(file))
        answer(TYPES[path.extname(file)], readFileSync(file)); // prettier-ignore
      else response.writeHead(404).end();
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server};
}

function modelOf(workload: Workload): Uint8Array {
  return onnxModel(peer<Protobuf>('protobufjs'), workload);
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
