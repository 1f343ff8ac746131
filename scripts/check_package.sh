#!/usr/bin/env bash
# Packs dist as npm would publish it, installs that into an empty project, and uses it as people do:
# from ESM, CommonJS and a script tag, in TypeScript 5.9 and 7. Wants `npm run build` first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
here=$PWD/scripts/check_package

project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT

npm pack --ignore-scripts --json --pack-destination "$project" 2> /dev/null > "$project/pack.json"
node - "$project/pack.json" << 'JS'
const [{files, size, unpackedSize}] = JSON.parse(require('fs').readFileSync(process.argv[2]));
const expected = [
  ...['CHANGELOG.md', 'CITATION.cff', 'LICENSE', 'README.md', 'package.json'],
  ...['index', 'node'].flatMap((name) => ['cjs', 'mjs', 'd.cts', 'd.mts'].map((ext) => `dist/${name}.${ext}`)),
  'dist/tfjs-local-attention.min.js',
];
const got = files.map(({path}) => path);
const missing = expected.filter((path) => !got.includes(path));
const extra = got.filter((path) => !expected.includes(path));
if (missing.length + extra.length > 0) throw new Error(`missing: ${missing}; not wanted: ${extra}`);
for (const {path, size} of files) console.log(`${String(size).padStart(7)} ${path}`);
console.log(`packed ${size} bytes, unpacked ${unpackedSize} bytes`);
JS

cd "$project"
echo '{"private": true}' > package.json
npm install --ignore-scripts --no-audit --no-fund --silent ./*.tgz @tensorflow/tfjs@4.22.0 \
  typescript@5.9.3 typescript7@npm:typescript@7.0.2 @types/node@20 publint@0.3.25 @arethetypeswrong/cli@0.18.5

npx publint run --strict node_modules/tfjs-local-attention
npx attw --profile strict --format ascii ./*.tgz

# every exported name, types too, is in uses.ts
sed -n 's/^export \(type \)\?{\(.*\)};/\2/p' node_modules/tfjs-local-attention/dist/*.d.mts | tr -d ' ' | tr , '\n' |
  while read -r name; do
    grep -qw "$name" "$here/uses.ts" || { echo "uses.ts does not use $name" >&2; exit 1; }
  done

cp "$here/uses.ts" uses.ts
cp "$here/uses.ts" uses.mts
cp "$here/uses.ts" uses.cts
for program in both browser; do cp "$here/$program.ts" "$program.mts"; done

options='--strict --exactOptionalPropertyTypes --skipLibCheck --target ES2022 --types node'
for compiler in typescript typescript7; do
  tsc=node_modules/$compiler/bin/tsc
  node "$tsc" --version
  node "$tsc" $options --noEmit --module ESNext --moduleResolution bundler uses.ts
  node "$tsc" $options --outDir "$compiler" --module NodeNext --moduleResolution NodeNext uses.mts uses.cts
  for program in uses.mjs uses.cjs; do
    node "$compiler/$program"
    echo "  $program runs"
  done
done

# resolution by node10 knows no exports; TypeScript 7 has dropped it
node node_modules/typescript/bin/tsc $options --outDir node10 --module CommonJS --moduleResolution node10 uses.ts
node node10/uses.js
echo '  node10 runs'

node node_modules/typescript/bin/tsc $options --outDir more --module NodeNext --moduleResolution NodeNext \
  both.mts browser.mts
node more/both.mjs
node more/browser.mjs

# importing for the registration alone must survive a bundler
echo "import 'tfjs-local-attention';" > register.mjs
for name in LocalAttention LocalMHA LocalTransformerBlock TokenEmbedding RotaryEmbedding; do
  "$here/../../node_modules/.bin/esbuild" --bundle --format=esm --external:@tensorflow/tfjs --log-level=error register.mjs |
    grep "registerClass($name)" > /dev/null || { echo "a bundler drops the registration of $name" >&2; exit 1; }
done
echo '  registration survives bundling'
