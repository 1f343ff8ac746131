import {readFileSync} from 'node:fs';
import terser from '@rollup/plugin-terser';
import typescript from '@rollup/plugin-typescript';
import dts from 'rollup-plugin-dts';

const {version, license} = JSON.parse(readFileSync('package.json', 'utf8'));
const banner = `/*! tfjs-local-attention ${version} | ${license} */`;
const tfjs = '@tensorflow/tfjs'; // never bundled: a second copy would not know the first one's models
const external = [tfjs, 'node:fs', 'node:path'];
const interop = (id) => (id === tfjs ? 'esModule' : 'default'); // tfjs has names and no default
const compile = typescript({
  include: ['src/**', 'layers/**', 'models/**', 'kernels/**'],
  exclude: ['kernels/program/assembly/**'],
  outputToFilesystem: false,
  compilerOptions: {outDir: undefined, noEmitOnError: true, declaration: false},
});

/**
 * Takes indentation, comments and empty lines out of the texts of shaders, which terser leaves as they
 * are: strings of more than one line in their folders. Line breaks stay, which GLSL's # lines need.
 */
const shaders = {
  name: 'shaders',
  transform(code, id) {
    if (!/kernels.web(gl|gpu)/.test(id)) return null;
    const texts = [];
    JSON.stringify(this.parse(code), (_, node) => {
      const quasis = node?.type === 'TemplateLiteral' ? node.quasis : [];
      if (quasis.some(({value}) => value.raw.includes('\n'))) texts.push(...quasis);
      return node;
    });
    for (const {start, end} of texts.sort((a, b) => b.start - a.start)) {
      const text = code
        .slice(start, end)
        .replace(/ *\/\/.*(?=\n)/g, '')
        .replace(/\n\s+/g, '\n');
      code = code.slice(0, start) + text + code.slice(end);
    }
    return {code, map: null};
  },
};

/** Puts the WebAssembly first: gzip looks 32 KB back, and anywhere else would see nothing but it for as long. */
const programFirst = {
  name: 'program-first',
  transform: (code, id) =>
    /src.index\.ts$/.test(id)
      ? {code: `import '../kernels/program/module.generated';\n${code}`, map: null}
      : null,
};

/** ESM and CommonJS of one entry, with the types of each. */
const entry = (input, name) => [
  {
    input,
    external,
    plugins: [compile],
    output: [
      {file: `dist/${name}.mjs`, format: 'es', banner},
      {file: `dist/${name}.cjs`, format: 'cjs', banner, interop},
    ],
  },
  {
    input,
    external,
    plugins: [dts({tsconfig: 'tsconfig.json'})],
    output: [
      {file: `dist/${name}.d.mts`, format: 'es'},
      {file: `dist/${name}.d.cts`, format: 'es'},
    ],
  },
];

export default [
  ...entry('src/index.ts', 'index'),
  ...entry('src/node/index.ts', 'node'),
  {
    input: 'src/index.ts',
    external: [tfjs],
    plugins: [compile, shaders, programFirst],
    output: {
      file: 'dist/tfjs-local-attention.min.js',
      format: 'umd',
      name: 'tfjsLocalAttention',
      globals: {[tfjs]: 'tf'},
      interop,
      banner,
      plugins: [terser({ecma: 2020, compress: {passes: 3}, format: {comments: /^!/}})],
    },
  },
];
