/** What the visitor chooses: the options of `localAttention` that say which keys a query sees, and how. */

export interface Window {
  windowSize: number;
  lookBackward: number;
  lookForward: number;
  causal: boolean;
  exactWindowsize: boolean;
  positions: 'rotary' | 'xpos' | 'none';
  sharedQk: boolean;
}

/** The options of a call; those at their defaults are left out, but `lookForward` if causal, which is 0 then. */
export function asOptions(window: Window) {
  const {windowSize, lookBackward, lookForward, causal, exactWindowsize, positions} = window;
  return {
    windowSize,
    ...(causal && {causal}),
    ...(lookBackward !== 1 && {lookBackward}),
    ...(lookForward !== (causal ? 0 : 1) && {lookForward}),
    ...(exactWindowsize && {exactWindowsize}),
    ...(positions === 'none' && {useRotaryPosEmb: false}),
    ...(positions === 'xpos' && {useXpos: true}),
    ...(window.sharedQk && {sharedQk: true}),
    autopad: true, // a text has any length
  };
}

/** Every option by its value: for a model whose own window would fill in what is left out. */
export function allOptions(window: Window) {
  const {positions, ...same} = window;
  return {...same, useRotaryPosEmb: positions !== 'none', useXpos: positions === 'xpos'};
}

/** The call as a reader would write it. */
export function codeOf(window: Window): string {
  const written = Object.entries(asOptions(window)).map(([name, value]) => `${name}: ${value}`);
  const keys = window.sharedQk ? 'q, q' : 'q, k';
  return `localAttention(${keys}, v, {${written.join(', ')}})`;
}

/**
 * What the package refuses, in its words, or null: what it would throw is told while the visitor
 * chooses, without a call.
 */
export function refusal(window: Window): string | null {
  const {causal, lookForward, positions, windowSize} = window;
  if (causal && lookForward > 0) {
    return `lookForward must be 0 when causal is true, got ${lookForward}.`;
  }
  if (positions === 'xpos' && windowSize === 1) {
    return 'useXpos with windowSize 1 needs xposScaleBase, since the default ⌊windowSize / 2⌋ is 0.';
  }
  return null;
}

/** The nearest that the package takes. */
export function mended(window: Window): Window {
  const {causal, positions, windowSize} = window;
  return {
    ...window,
    ...(causal && {lookForward: 0}),
    ...(positions === 'xpos' && windowSize === 1 && {positions: 'rotary' as const}),
  };
}
