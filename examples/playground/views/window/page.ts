/** What the view is made of, before it is filled. */
import {shape} from '../../model/config.json';

export const PAGE = `
<h1 id="title-window">See the window</h1>
<p class="lead">“Window” means many things. Here the text is cut into windows of some tokens, and look
  back and look forward count windows. A row for each query, a column for each key: coloured where the
  query sees the key.</p>
<div class="window-grid">
  <figure class="card">
    <p class="strip" id="window-strip" aria-hidden="true"></p>
    <div id="window-frame">
      <canvas id="window-matrix" tabindex="0" role="slider" aria-label="Query" aria-orientation="vertical"
        aria-valuemin="1"></canvas>
    </div>
    <figcaption>
      <div id="window-seen">
        <p id="window-sentence"></p>
        <p class="note" id="window-rule"></p>
      </div>
      <div class="problem" id="window-refused" role="alert" hidden>
        <p id="window-refusal"></p>
        <button type="button" id="window-mend"></button>
      </div>
    </figcaption>
  </figure>
  <div>
    <form id="window-controls" aria-label="The window"></form>
    <p class="note">Rotary and xpos do not change which keys are seen; they change the weights below.</p>
    <pre class="mono" tabindex="0" aria-label="As code"><code id="window-code"></code></pre>
  </div>
</div>

<h2>The weights themselves</h2>
<p class="lead">How much each query looks at each key, by every head of the model that writes on this page.
  Its own window is causal and exact, of ${shape.window} tokens; through another you see its queries and keys
  as it has never used them.</p>
<label class="field"><span>Your text, up to 64 characters</span>
  <input type="text" id="window-text" maxlength="64" autocomplete="off" spellcheck="false"
    value="Call me Ishmael. Some years ago, never mind how long" /></label>
<p class="strip" id="window-weighted" aria-hidden="true"></p>
<p id="window-head-sentence"></p>
<p class="note" id="window-state" role="status"></p>
<p class="note" id="window-band"></p>
<div id="window-heads"></div>

<h2>What it holds in memory</h2>
<p class="lead">The attention weights of one head, if they are held at all: n · C numbers, C being the keys
  that a window is given, where full attention has n². The fused kernels hold none of them.</p>
<label class="field"><span>Length, n <output id="window-length-value"></output></span>
  <input type="range" id="window-length" min="6" max="17" step="1" value="12" /></label>
<dl class="bars">
  <div><dt>Local</dt><dd><i id="window-local"></i><span id="window-local-value"></span></dd></div>
  <div><dt>Full</dt><dd><i id="window-full"></i><span id="window-full-value"></span></dd></div>
</dl>
<p id="window-comparison"></p>`;
