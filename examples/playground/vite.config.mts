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
  // the package by its name, as it ships
  resolve: {alias: {'tfjs-local-attention': at('../../dist/index.mjs')}},
  // what a measured row must name
  define: {
    __VERSIONS__: JSON.stringify(
      `${versionOf('../..')}, ${versionOf('../../node_modules/@tensorflow/tfjs')}`,
    ),
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
