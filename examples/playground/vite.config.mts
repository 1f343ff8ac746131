import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {defineConfig} from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

function versionOf(folder: string): string {
  const {name, version} = JSON.parse(readFileSync(at(`${folder}/package.json`), 'utf8'));
  return `${name} ${version}`;
}

/** Static files that any server can host under any path. */
export default defineConfig({
  root: at('.'),
  base: './',
  appType: 'mpa', // what is not there is not found: neither a book nor a document is this page
  // the package by its name, as it ships
  resolve: {alias: {'tfjs-local-attention': at('../../dist/index.mjs')}},
  // what a measured row must name
  define: {
    __VERSIONS__: JSON.stringify(
      `${versionOf('../..')}, ${versionOf('../../node_modules/@tensorflow/tfjs')}`,
    ),
  },
  // those of the workers too, which would be found one after the other, and the page loaded anew each time
  optimizeDeps: {
    include: [
      ...['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm', '@tensorflow/tfjs-backend-webgpu'],
      ...['comlink', 'uplot'],
    ],
  },
  worker: {format: 'es'},
  build: {
    outDir: at('../../site'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000, // TF.js is one chunk of a worker
  },
  server: {
    headers: {
      // threads need both; a server without them gets one thread
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    },
  },
});
