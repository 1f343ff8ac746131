/** The test files as one script for a page. */
import {join} from 'node:path';

import {build} from 'esbuild';

/** In a page, the backends are others. */
const ofThePage = {name: 'of the page', setup};

function setup({onResolve}: Parameters<import('esbuild').Plugin['setup']>[0]) {
  const backends = {path: join(__dirname, 'backends.ts')};
  onResolve({filter: /\/backends$/}, () => backends);
}

export async function bundle(): Promise<string> {
  const {outputFiles} = await build({
    entryPoints: [join(__dirname, 'index.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    sourcemap: 'inline',
    mainFields: ['module', 'main'],
    plugins: [ofThePage],
    logLevel: 'error',
  });
  return outputFiles[0].text;
}
