/** What is asked of the GPU from here on, by any library: dispatches of WebGPU, draws of WebGL. */
export const commands = {count: 0};

type Methods = Record<string, (...args: unknown[]) => unknown>;

const COUNTED: Record<string, readonly string[]> = {
  GPUComputePassEncoder: ['dispatchWorkgroups', 'dispatchWorkgroupsIndirect'],
  WebGL2RenderingContext: ['drawArrays', 'drawElements'],
};

export function countCommands(): void {
  for (const [name, methods] of Object.entries(COUNTED)) {
    const prototype = (globalThis as {[name: string]: unknown} & typeof globalThis)[name] as
      {prototype: Methods} | undefined;
    if (prototype) methods.forEach((method) => count(prototype.prototype, method));
  }
}

function count(methods: Methods, name: string): void {
  const original = methods[name];
  methods[name] = function (...args) {
    commands.count++;
    return original.apply(this, args);
  };
}
