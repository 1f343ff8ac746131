#!/usr/bin/env bash
# Installs the other libraries that `npm run bench -- --peers` measures against, into bench/peers/:
# onnxruntime (native and web), jax-js, and protobufjs to write the model of the former; PyTorch
# with the original local-attention in a virtual environment. About 2 GB; nothing else needs them,
# so none is a dev dependency. What cannot be installed is skipped, aloud, here and in the bench.
#
# FlexAttention is compiled when it first runs, which needs a C++ compiler.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../bench/peers"

failed=0

# attempt WHAT COMMAND...
attempt() {
  printf '==> %s\n' "$1"
  "${@:2}" && return
  printf '%s could not be installed, and the bench will skip it.\n' "$1" >&2
  failed=1
}

in_python() {
  python3 -m venv .venv && .venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
}

# their install scripts would only fetch GPU libraries
attempt 'onnxruntime, jax-js' npm install --ignore-scripts --no-audit --no-fund --no-package-lock
attempt 'PyTorch, local-attention' in_python
exit "$failed"
