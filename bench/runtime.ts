/** What runs this, and what it was told of WebAssembly: `Node 26.1.0 --experimental-wasm-revectorize`. */
export function runtime(): string {
  const node = (globalThis as {process?: NodeJS.Process}).process;
  if (!node?.versions?.node) return /Chrome\/\d+/.exec(navigator.userAgent)?.[0] ?? 'a browser';
  const flags = node.execArgv.filter((flag) => flag.includes('wasm'));
  return [`Node ${node.versions.node}`, ...flags].join(' ');
}
