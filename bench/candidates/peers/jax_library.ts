/** What is used of jax-js. An operation frees its operands; `ref` keeps one for another use. */
export interface JaxArray {
  ref: JaxArray;
  reshape(shape: number[]): JaxArray;
  transpose(axes: number[]): JaxArray;
  slice(...ranges: ([] | [number, number])[]): JaxArray;
  add(x: JaxArray | number): JaxArray;
  sub(x: JaxArray): JaxArray;
  mul(x: JaxArray | number): JaxArray;
  div(x: JaxArray): JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}

export interface Jax {
  init(device: string): Promise<string[]>;
  defaultDevice(device: string): void;
  jit<Args extends unknown[], Result>(f: (...args: Args) => Result): (...args: Args) => Result;
  grad(
    f: (...x: JaxArray[]) => JaxArray,
    options: {argnums: number[]},
  ): (...x: JaxArray[]) => JaxArray[];
  valueAndGrad<Rest extends unknown[]>(
    f: (x: JaxArray[], ...rest: Rest) => JaxArray,
  ): (x: JaxArray[], ...rest: Rest) => [JaxArray, JaxArray[]];
  nn: {
    softmax(x: JaxArray, axis: number): JaxArray;
    logSoftmax(x: JaxArray, axis: number): JaxArray;
    relu(x: JaxArray): JaxArray;
    gelu(x: JaxArray, options: {approximate: boolean}): JaxArray;
  };
  numpy: {
    array(values: Float32Array): JaxArray;
    concatenate(x: JaxArray[], axis: number): JaxArray;
    pad(x: JaxArray, widths: [number, number][]): JaxArray;
    matmul(x: JaxArray, y: JaxArray): JaxArray;
    swapaxes(x: JaxArray, a: number, b: number): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    mean(x: JaxArray, axis: number, options: {keepdims: boolean}): JaxArray;
    sum(x: JaxArray): JaxArray;
  };
}
