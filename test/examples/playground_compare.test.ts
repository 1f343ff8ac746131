/** What the view "Compare" decides and says, without measuring anything. */
import {Point} from '../../examples/playground/engine/compare_case';
import {browserOf} from '../../examples/playground/views/compare/browser';
import {isEmulated} from '../../examples/playground/views/compare/machine';
import {markdownOf, msOf} from '../../examples/playground/views/compare/markdown';
import {LENGTHS, Lines, add, fail, longestOfBoth, nextOf, noLines} from '../../examples/playground/views/compare/plan'; // prettier-ignore
import {verdictOf} from '../../examples/playground/views/compare/verdict';

const point = (ms: number, bytes = 1e6): Point => ({ms, bytes, runs: 3});

/** Measures all, with these milliseconds a token, and returns what was measured in its order. */
function measured(lines: Lines, longest: number, fused: number, composite: number): string[] {
  const order: string[] = [];
  for (let next = nextOf(lines, longest); next; next = nextOf(lines, longest)) {
    order.push(`${next.by} ${next.n}`);
    add(lines[next.by], next.n, point(next.n * (next.by === 'fused' ? fused : composite)));
  }
  return order;
}

test('lengths double, fused before composed, up to the longest', () => {
  const lines = noLines();
  expect(measured(lines, 1024, 0.01, 0.1)).toEqual([
    ...['fused 256', 'composite 256', 'fused 512'],
    ...['composite 512', 'fused 1024', 'composite 1024'],
  ]);
  expect(longestOfBoth(lines)).toBe(1024);
});

test('a line that takes more than two seconds ends there, and the other goes on', () => {
  const lines = noLines();
  const order = measured(lines, 65536, 0.01, 1);
  expect(order.filter((one) => one.startsWith('composite')).at(-1)).toBe('composite 2048');
  expect(order.at(-1)).toBe('fused 65536');
  expect(lines.composite.ended).toBe('stopped at 2,048 tokens: a call takes more than 2 s');
  expect(lines.fused.ended).toBeNull();
  expect(longestOfBoth(lines)).toBe(2048);
});

test('a line ends before a length that could end the page, or where it fails', () => {
  const {fused, composite} = noLines();
  add(composite, 8192, point(900, 7e8));
  expect(composite.ended).toBe('stopped at 8,192 tokens: twice the length would hold 1.4 GB');
  fail(fused, 512, 'Out of memory');
  expect(fused.ended).toBe('failed at 512 tokens: Out of memory');
  expect(nextOf({fused, composite}, LENGTHS[8])).toBeNull();
});

test('a row names the machine, the versions and the day, and no cell breaks the table', () => {
  const lines = noLines();
  measured(lines, 512, 0.125, 1);
  const rows = [
    {title: 'wasm, 2 threads', device: 'a | b', lines},
    {title: 'cpu', device: '2 cores', lines: noLines()}, // nothing was measured
  ];
  const where = {browser: 'Firefox 140, Linux', versions: 'x 1, y 2', date: '2026-01-31'};
  expect(markdownOf(rows, {...where, gradient: true}).split('\n')).toEqual([
    '| backend | device | tokens | fused | composed | composed / fused | fused holds | composed holds |',
    '| --- | --- | --: | --: | --: | --: | --: | --: |',
    '| wasm, 2 threads | a \\| b | 512 | 64 ms | 512 ms | 8.00× | 1 MB | 1 MB |',
    '',
    'Causal attention and its gradient, 4 heads of size 64, windowSize 128, float32, one sequence; median milliseconds. Firefox 140, Linux; x 1, y 2; 2026-01-31.',
  ]);
});

test.each([
  [0.01234, '0.0123 ms'],
  [12.345, '12.3 ms'],
  [123.4, '123 ms'],
])('%d is told as %s', (ms, told) => expect(msOf(ms)).toBe(told));

test.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox 140'],
  ['Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36 Edg/126.0', 'Edge 126'],
  ['Mozilla/5.0 (Macintosh) AppleWebKit/605 (KHTML) Version/18.2 Safari/605.1', 'Safari 18.2'],
])('the browser of %s is %s', (agent, name) => expect(browserOf(agent)).toBe(name));

test('brands say it where there are some, less the one that is made up', () => {
  const made = {brand: 'Not/A)Brand', version: '8'};
  const chromium = {brand: 'Chromium', version: '156'};
  expect(browserOf('', [made, chromium])).toBe('Chromium 156');
  expect(browserOf('', [chromium, {brand: 'Google Chrome', version: '156'}, made])).toBe('Google Chrome 156'); // prettier-ignore
});

test('a program that stands in for a GPU is known by its name', () => {
  expect(isEmulated('ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)))')).toBe(true);
  expect(isEmulated('ANGLE (Intel, Mesa Intel(R) UHD Graphics 620)')).toBe(false);
});

test('what verify comes to counts what is wrong apart from what does not start or does not answer', () => {
  expect(verdictOf([])).toBe('No backend is chosen.');
  expect(verdictOf(['absent'])).toBe('1 of 1 did not start.');
  expect(verdictOf(['failed', 'failed'])).toBe('2 of 2 gave no answer.');
  expect(verdictOf(['right', 'wrong', 'absent'])).toBe('Not right on 1 of 2 backends. 1 of 3 did not start.'); // prettier-ignore
  expect(verdictOf(['right', 'right'])).toMatch(/^Right: forward .* float64\.$/);
  expect(verdictOf(['right', 'failed'])).toMatch(/^Right: .* float64\. 1 of 2 gave no answer\.$/);
});
