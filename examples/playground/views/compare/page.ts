/** What the view is made of, before it is filled. */
import {LENGTHS, tokens} from './plan';

const DEFAULT_LONGEST = 16384;

const lengths = LENGTHS.filter((n) => n >= 512).map((n) => {
  return `<option value="${n}" ${n === DEFAULT_LONGEST ? 'selected' : ''}>${tokens(n)}</option>`;
});

export const PAGE = `
<h1 id="title-compare">Compare</h1>
<p class="lead">The same attention on every backend of this machine, computed by the fused kernels and
  composed of ordinary TF.js ops. Each backend computes in a worker of its own; the page stays free.</p>
<form id="compare-form" aria-label="What to measure">
  <fieldset id="compare-backends"><legend>Backends</legend></fieldset>
  <div class="compare-choices">
    <fieldset><legend>Computed</legend>
      <label class="check"><input type="radio" name="gradient" value="no" checked />Forward</label>
      <label class="check"><input type="radio" name="gradient" value="yes" />With its gradient</label>
    </fieldset>
    <label class="field"><span>Longest text</span>
      <select id="compare-longest">${lengths.join('')}</select></label>
  </div>
  <p class="note" id="compare-case"></p>
  <div class="row">
    <button class="primary" id="compare-measure" disabled>Measure</button>
    <button type="button" id="compare-stop" disabled>Stop</button>
    <button type="button" id="compare-copy" disabled>Copy as Markdown</button>
    <button type="button" id="compare-verify" disabled>Verify</button>
  </div>
</form>
<p id="compare-state" role="status"></p>
<div id="compare-verified"></div>
<p class="key" id="compare-key" hidden><span class="fused">fused</span><span class="composite">composed</span></p>
<div id="compare-charts"></div>
<p class="note">Milliseconds: the median of up to nine calls after one to warm up, each until one of its
  numbers has been read back; composed runs with <code>registerFasterKernels()</code>. More threads are those
  of our kernels: other ops of TF.js have one here. Memory: the most bytes
  that the tensors of TF.js held during a call, inputs and output included; what a backend holds beside
  its tensors, such as the scores that fused webgl keeps for a moment or textures kept for later, is not in
  it.</p>`;
