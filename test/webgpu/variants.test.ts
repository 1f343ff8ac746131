/** Every text that the generators make, to a compiler: what no case of other tests happens to need too. */
import {backwardVariantOf} from '../../kernels/webgpu/backward/tile';
import {biasGradientText} from '../../kernels/webgpu/backward/bias';
import {prepareText} from '../../kernels/webgpu/backward/prepare';
import {gradientText} from '../../kernels/webgpu/backward/text';
import {forwardText} from '../../kernels/webgpu/forward/text';
import {tileOf, variantOf} from '../../kernels/webgpu/forward/tile';
import {resolveConfig} from '../../src/attention/config';
import {Problem, problemOf} from '../../src/attention/problem';
import {GOLDEN} from '../../src/verify/golden.generated';
import {gpu, onWebgpu} from './on_webgpu';

/** Of which the texts differ: widths by tile, by columns, and whether they are fours; options by kind. */
const WIDTHS = [1, 4, 5, 8, 16, 22, 24, 32, 40, 48, 64, 66, 72, 100, 128, 130, 192, 256];
const WINDOWS = [5, 20, 100];
/** Bytes of workgroup memory: what every device has, and most. */
const LEAST = 16384;
const MOST = 32768;

function texts(bytes: number): Set<string> {
  const all = new Set<string>();
  for (const headDim of WIDTHS) {
    for (const valueDim of WIDTHS) {
      for (const windowSize of WINDOWS) {
        for (const options of [0, 1, 2, 3]) {
          const rotary = options % 2 === 1 && headDim % 2 === 0;
          const sharedQk = options > 1;
          const p = {headDim, valueDim, windowSize, rotary, sharedQk, mask: null, bias: null, dropout: 0}; // prettier-ignore
          for (const text of textsOf(p as Problem, bytes)) all.add(text);
        }
      }
    }
  }
  return all;
}

function textsOf(p: Problem, bytes: number): string[] {
  const variant = variantOf(p, tileOf(p));
  const gradients = (['queries', 'keys'] as const).map((of) =>
    gradientText(backwardVariantOf(p, of, variant, bytes)),
  );
  return [forwardText(variant), prepareText(variant), biasGradientText(variant), ...gradients];
}

/** Bytes of the workgroup variables that a text declares. */
function workgroupBytes(text: string): number {
  const declared = text.matchAll(
    /var<workgroup> \w+: (?:array<(vec4<f32>|f32|u32), (\d+)>|atomic)/g,
  );
  return [...declared].reduce(
    (sum, [, type, count]) => sum + (type === 'vec4<f32>' ? 16 : 4) * Number(count ?? 1),
    0,
  );
}

test.each([LEAST, MOST])('all keep to %d bytes of workgroup memory', (bytes) => {
  for (const text of texts(bytes)) expect(workgroupBytes(text)).toBeLessThanOrEqual(bytes);
});

/** Such a device zeroes workgroup memory by an instruction a number, which is most of what it compiles. */
test('those of verify() are few and small, so that an emulated GPU compiles them within seconds', () => {
  const all = new Set<string>();
  for (const {config, shape, valueDim, mask, bias} of GOLDEN) {
    const v = [...shape.slice(0, 3), valueDim ?? shape[3]];
    const resolved = resolveConfig('verify', config);
    const given = {mask: mask ?? null, bias: bias ?? null} as object;
    const p = {...problemOf('verify', {q: shape, k: shape, v}, resolved, {}), ...given};
    const [forward, prepare, ofBias, ...gradients] = textsOf(p, MOST);
    for (const text of [forward, prepare, ...gradients]) all.add(text);
    if (bias) all.add(ofBias);
  }
  expect(all.size).toBe(13);
  const bytes = [...all].reduce((sum, text) => sum + workgroupBytes(text), 0);
  expect(bytes).toBeLessThan(48 * 1024);
});

onWebgpu('on webgpu', () => {
  test('each is valid, which takes a moment to say', async () => {
    const {device} = gpu();
    for (const code of new Set([...texts(LEAST), ...texts(MOST)])) {
      const begin = performance.now();
      const {messages} = await device.createShaderModule({code}).getCompilationInfo();
      const errors = messages.filter(({type}) => type === 'error');
      expect(errors.map(({lineNum, message}) => `${lineNum}: ${message}\n${code}`)).toEqual([]);
      expect(performance.now() - begin).toBeLessThan(5000);
    }
  }, 300_000);
});
