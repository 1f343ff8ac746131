#!/usr/bin/env bash
# Makes require('@tensorflow/tfjs-node') work in this checkout, for the tests of the tensorflow backend.
# With --gpu it is @tensorflow/tfjs-node-gpu, beside the other; TFJS_NODE_GPU=1 has tests take that one.
#
# It is not a dev dependency: its install script downloads libtensorflow and fails the whole
# `npm ci` where that host is out of reach. Here a failed download only means that the binding is
# compiled instead, against the libtensorflow inside pip's tensorflow-cpu wheel, or for GPUs inside
# that of tensorflow, which computes on the CPU where there is none.
#
#   .tfjs-node/node_modules/   the package and its dependencies, less @tensorflow/tfjs
#   .tfjs-node/tensorflow/     libtensorflow and its C headers (only if compiled here)
#   node_modules/@tensorflow/tfjs-node -> .tfjs-node/node_modules/@tensorflow/tfjs-node
#
# and the same with tfjs-node-gpu for each tfjs-node.
#
# A package of its own, because `npm install --no-save` in the checkout skips an optional peer and
# prunes what it does not know. An `npm install` in the checkout drops the link: run this again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

TFJS_NODE=4.22.0
TENSORFLOW=2.21.0
case ${1-} in
  '') name=tfjs-node wheel=tensorflow-cpu flags=() ;;
  --gpu) name=tfjs-node-gpu wheel=tensorflow flags=(gpu download) ;;
  *) echo "usage: $0 [--gpu]" >&2; exit 2 ;;
esac
home=$PWD/.$name
package=$home/node_modules/@tensorflow/$name

# multiplies on the backend, and insists on one tfjs: two copies would be two engines
check() {
  node -e "
    const tf = require('@tensorflow/tfjs');
    tf.env().set('IS_TEST', true);
    const tfn = require('@tensorflow/$name');
    if (tfn.Tensor !== tf.Tensor) throw new Error('two copies of @tensorflow/tfjs');
    tf.setBackend('tensorflow');
    const [product] = tf.matMul([[2, 3]], [[5], [7]]).dataSync();
    if (product !== 31 || tf.getBackend() !== 'tensorflow') throw new Error('wrong product ' + product);
    console.log('@tensorflow/$name ' + tfn.version['tfjs-node'] + ' on libtensorflow ' +
                tf.backend().binding.TF_Version + ' works, on a ' +
                (tf.backend().isUsingGpuDevice ? 'GPU' : 'CPU'));
  "
}

# apt_install COMMAND PACKAGE...: if the command is missing
apt_install() {
  command -v "$1" > /dev/null && return
  [ "$(id -u)" = 0 ] || { echo "$1 is missing: apt-get install ${*:2}" >&2; exit 1; }
  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${@:2}"
}

fetch_libtensorflow() {
  [ -e "$home/tensorflow/libtensorflow_cc.so.2" ] && return
  apt_install python3 python3
  python3 -m pip --version > /dev/null 2>&1 || apt_install pip python3-pip

  # the wheel of any Python will do, so name one rather than depend on the machine's
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --python-version 3.11 --platform manylinux_2_27_x86_64 --dest "$home/wheel" "$wheel==$TENSORFLOW"
  python3 - "$home"/wheel/*.whl "$home/unpacked" << 'PYTHON'
import re, sys, zipfile
needed = re.compile(r'tensorflow/(libtensorflow_(cc|framework)\.so\.2'
                    r'|include/(tensorflow/c|tensorflow/core/platform|tsl/platform|xla/tsl/c)/.*\.h)$')
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if needed.match(name)])
PYTHON
  mv "$home/unpacked/tensorflow" "$home/tensorflow"
  rm -r "$home/wheel" "$home/unpacked"
}

compile_binding() {
  [ "$(uname -sm)" = 'Linux x86_64' ] || { echo 'can compile on Linux x86_64 only' >&2; exit 1; }
  apt_install g++ g++ libc6-dev
  fetch_libtensorflow

  local headers
  headers=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")/include/node
  if [ ! -e "$headers/node_api.h" ]; then
    npm install --prefix "$home" --ignore-scripts --no-audit --no-fund node-api-headers@1.9.0
    headers=$home/node_modules/node-api-headers/include
  fi

  mkdir -p "$package/lib/napi-v8"
  (
    cd "$package"
    g++ -std=c++17 -O2 -fPIC -shared -DNAPI_VERSION=8 -I"$headers" -I. -I"$home/tensorflow/include" \
      binding/tfjs_backend.cc binding/tfjs_binding.cc -o lib/napi-v8/tfjs_binding.node \
      "$home/tensorflow/libtensorflow_cc.so.2" "$home/tensorflow/libtensorflow_framework.so.2" \
      -Wl,-rpath,'$ORIGIN/../../../../../tensorflow'
  )
}

link() {
  mkdir -p node_modules/@tensorflow
  ln -sfn "../../.$name/node_modules/@tensorflow/$name" "node_modules/@tensorflow/$name"
}

if check 2> /dev/null; then exit; fi
if [ -d "$package" ]; then
  link
  if check 2> /dev/null; then exit; fi
fi

rm -rf "$home/node_modules" "$home/wheel" "$home/unpacked"
mkdir -p "$home"
echo '{"private": true}' > "$home/package.json"
npm install --prefix "$home" --ignore-scripts --no-audit --no-fund --no-package-lock "@tensorflow/$name@$TFJS_NODE"

# npm 11 runs no install script that is not approved, older ones do: by hand it is the same for all
echo 'downloading the official binding'
(cd "$package" && PATH="$home/node_modules/.bin:$PATH" timeout 300 node scripts/install.js "${flags[@]}" < /dev/null > install.log 2>&1) || true
if [ ! -e "$package/lib/napi-v8/tfjs_binding.node" ]; then
  echo 'no official binding here (see install.log in the package): compiling it'
  compile_binding
fi

# resolved from the checkout from here on
find "$home/node_modules/@tensorflow" -mindepth 1 -maxdepth 1 ! -name "$name" -exec rm -r {} +
link
check
