/** Options of the attention: defaults, freezing, and the one deprecated name. */
import {LocalAttentionArgs, Implementation, localAttention} from '../../src';
import {resolveConfig, xposBase} from '../../src/attention/config';
import {resolveMHAConfig} from '../../src/nn/local_mha';

const resolve = (args: LocalAttentionArgs) => resolveConfig('test', args);

const DEFAULTS = {
  windowSize: 4,
  causal: false,
  lookBackward: 1,
  lookForward: 1,
  dropout: 0,
  sharedQk: false,
  dim: null,
  autopad: false,
  exactWindowsize: false,
  scale: null,
  useRotaryPosEmb: true,
  useXpos: false,
  xposScaleBase: null,
  implementation: 'auto',
};

const CHOSEN: Required<LocalAttentionArgs> = {
  windowSize: 3,
  causal: true,
  lookBackward: 0,
  lookForward: 0,
  dropout: 0.25,
  sharedQk: true,
  relPosEmbConfig: null,
  dim: 6,
  autopad: true,
  exactWindowsize: true,
  scale: -2,
  useRotaryPosEmb: true,
  useXpos: true,
  xposScaleBase: 512,
  implementation: 'composite',
};

test('windowSize is all that must be named', () => {
  expect(resolve({windowSize: 4})).toEqual(DEFAULTS);
});

test('causal attention looks forward by 0 windows by default', () => {
  expect(resolve({windowSize: 4, causal: true})).toEqual({
    ...DEFAULTS,
    causal: true,
    lookForward: 0,
  });
});

test('null and undefined count as absent', () => {
  const names = Object.keys(CHOSEN).filter((name) => name !== 'windowSize');
  for (const absent of [null, undefined]) {
    const args = Object.fromEntries(names.map((name) => [name, absent]));
    expect(resolve({windowSize: 4, ...args})).toEqual(DEFAULTS);
  }
});

test('what is named is kept', () => {
  const {relPosEmbConfig, ...kept} = CHOSEN;
  expect(relPosEmbConfig).toBeNull();
  expect(resolve(CHOSEN)).toEqual(kept);
});

test.each<Partial<LocalAttentionArgs>>([
  {windowSize: 1},
  {lookBackward: 0, lookForward: 0},
  {lookForward: 3},
  {dropout: 0.999},
  {scale: 0},
  {dim: 5, useRotaryPosEmb: false},
  {dim: 1, useRotaryPosEmb: false},
  {windowSize: 1, useXpos: true, xposScaleBase: 0.5},
  {windowSize: 2 ** 22},
  {xposScaleBase: 1e-9}, // without xpos it says nothing
])('%p is at the edge, and allowed', (options) => {
  expect(resolve({windowSize: 4, ...options})).toMatchObject(options);
});

test.each<Implementation>(['auto', 'fused', 'composite'])('implementation may be %s', (name) => {
  expect(resolve({windowSize: 4, implementation: name}).implementation).toBe(name);
});

test('the result is frozen, and resolves to itself', () => {
  const config = resolve({windowSize: 4});
  expect(Object.isFrozen(config)).toBe(true);
  expect(resolve(config)).toBe(config);
});

test('a copy of the result resolves to the same', () => {
  const config = resolve(CHOSEN);
  expect(resolve({...config})).toEqual(config);
  expect(resolve(JSON.parse(JSON.stringify(config)))).toEqual(config);
});

test('the arguments stay as they are, and changing them later changes nothing', () => {
  const args = {windowSize: 4};
  const config = resolve(Object.freeze(args) as LocalAttentionArgs);
  expect(args).toEqual({windowSize: 4});
  const mutable: LocalAttentionArgs = {windowSize: 4};
  const before = resolve(mutable);
  mutable.windowSize = 8;
  expect([before.windowSize, resolve(mutable).windowSize]).toEqual([4, 8]);
  expect(config).toEqual(before);
});

test.each([
  [{windowSize: 4, useXpos: true}, 2],
  [{windowSize: 5, useXpos: true}, 2],
  [{windowSize: 5, useXpos: true, xposScaleBase: 7.5}, 7.5],
])('xpos of %p decays over %d tokens', (args, base) => {
  expect(xposBase(resolve(args))).toBe(base);
});

test('relPosEmbConfig sets dim and warns once, naming the caller and the remedy', () => {
  const warn = jest.spyOn(console, 'warn').mockImplementation();
  expect(() => resolve({windowSize: 4, relPosEmbConfig: [0]})).toThrow(RangeError);
  expect(warn).not.toHaveBeenCalled(); // a refused call has no other voice
  expect(resolve({windowSize: 4, relPosEmbConfig: [6, 2]}).dim).toBe(6);
  expect(resolve({windowSize: 4, relPosEmbConfig: [8]}).dim).toBe(8);
  expect(resolve({windowSize: 4, relPosEmbConfig: [8], dim: 8}).dim).toBe(8);
  expect(warn.mock.calls).toEqual([['[test] relPosEmbConfig is deprecated; use dim: 6.']]);
  warn.mockRestore();
});

test('a config that says what relPosEmbConfig said does not say it twice', () => {
  expect('relPosEmbConfig' in resolve({windowSize: 4, relPosEmbConfig: [6]})).toBe(false);
});

test('LocalMHA has defaults of its own, and sees the exact window', () => {
  expect(resolveMHAConfig('test', {dim: 6, windowSize: 4})).toEqual({
    dim: 6,
    dimHead: 64,
    heads: 8,
    prenorm: false,
    qkRmsnorm: false,
    qkScale: 8,
    gateValuesPerHead: false,
    attention: {...DEFAULTS, autopad: true, exactWindowsize: true, dim: 64},
  });
});

test('LocalMHA hands its attention options on, null counting as absent', () => {
  const {attention} = resolveMHAConfig('test', {
    dim: 6,
    windowSize: 4,
    dimHead: 6,
    dropout: 0.5,
    lookBackward: 2,
    exactWindowsize: null,
    causal: true,
  });
  const inner = {...DEFAULTS, autopad: true, exactWindowsize: true, dim: 6, dropout: 0.5};
  expect(attention).toEqual({...inner, lookBackward: 2, causal: true, lookForward: 0});
});

test('LocalMHA scales by qkScale under qkRmsnorm alone', () => {
  const scaleOf = (args: object) =>
    resolveMHAConfig('test', {dim: 6, windowSize: 4, ...args}).attention.scale;
  expect(scaleOf({qkScale: 3})).toBeNull();
  expect(scaleOf({qkRmsnorm: true})).toBe(8);
  expect(scaleOf({qkRmsnorm: true, qkScale: 3})).toBe(3);
});

test('the type of the options refuses what the reader refuses', () => {
  // @ts-expect-error -- windowSize is required
  expect(() => resolve({})).toThrow(TypeError);
  // @ts-expect-error -- a misspelt name
  expect(() => resolve({windowSize: 4, lookBackwards: 1})).toThrow(RangeError);
  // @ts-expect-error -- q, k and v come first
  expect(() => localAttention({windowSize: 4})).toThrow(TypeError);
});
