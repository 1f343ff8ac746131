/** What the view is made of, before anything has happened. */
import {BACKENDS, SIZES} from '../../engine/training/plan';

export const MARKUP = `
<h1 id="title-train">Train</h1>
<p class="lead">
  A model that knows nothing reads a book on your machine, and learns to guess the next character.
  Watch its guesses get better, and what it writes turn into words.
</p>
<div class="train">
  <form class="card choices" id="train-choices">
    <div class="text">
      <p><span class="label">Text</span> <strong id="train-text">none yet</strong></p>
      <p class="note" id="train-text-facts"></p>
      <div class="row">
        <label class="button file">
          Choose a file…<input type="file" id="train-file" multiple disabled
            accept=".txt,.md,text/*,.json,.bin,.safetensors" />
        </label>
        <button type="button" id="train-book" disabled>The book</button>
      </div>
      <p class="note">
        Or drop one anywhere on this view: a text in UTF-8, the model folder of
        <code>npm start</code>, or a safetensors checkpoint.
      </p>
    </div>
    <fieldset id="train-model-choices">
      <legend class="unseen">The model</legend>
      ${select('size', 'Size', sizes())}
      ${select('window', 'Window, in characters', windows())}
    </fieldset>
    <fieldset id="train-plan-choices" class="pairs">
      <legend class="unseen">The training</legend>
      ${select('rate', 'Learning rate', list([0.001, 0.002, 0.005, 0.01], 0.005))}
      ${select('steps', 'Steps', list([300, 1000, 2000, 4000, 10000], 2000))}
      ${select(
        'backend',
        'Backend',
        BACKENDS.map((name) => option(name, name, name === 'wasm')),
      )}
      <label class="field"><span>Seed</span>
        <input type="number" id="train-seed" min="0" max="2147483647" step="1" value="1" required />
      </label>
    </fieldset>
    <div class="row">
      <button type="submit" class="primary" id="train-go" disabled>Start training</button>
      <button type="button" id="train-finish" hidden>Stop</button>
      <button type="button" id="train-new" hidden>New model</button>
    </div>
  </form>

  <div class="learning">
    <p class="problem" id="train-problem" role="alert" hidden></p>
    <dl class="figures">
      ${figure('held-out', 'bits per held-out character')}
      ${figure('bigram', 'of the bigram, a table of pairs')}
      ${figure('speed', 'characters a second')}
      ${figure('step', 'steps')}
    </dl>
    <progress id="train-done" max="1" value="0" aria-label="Of the steps chosen"></progress>
    <div id="train-chart" role="img" aria-label="No training yet"></div>
    <ul class="key" aria-hidden="true">
      <li class="held-out">held-out text</li>
      <li class="training">training text</li>
      <li class="bigram">the bigram</li>
    </ul>
    <p class="state" id="train-state" role="status"></p>
    <h2>What it writes as it learns</h2>
    <p class="note">
      Every few seconds it writes a line, always with the same dice: what changes is the model.
    </p>
    <ol class="samples" id="train-samples" reversed hidden></ol>
    <details>
      <summary>What a bit per character is</summary>
      <p class="note">
        How many yes-or-no questions the next character still costs. <span id="train-blind"></span>
        A table of which character follows which, the bigram, knows some; a model must do better to
        have seen more than the one character before. Held-out text is the end of the book, which no
        model has trained on.
      </p>
    </details>
  </div>
</div>

<h2>Ask it</h2>
<form class="ask" id="train-ask">
  <label class="field prompt"><span>Begin with</span>
    <input type="text" id="train-prompt" value="The whale " required autocomplete="off" />
  </label>
  <label class="field"><span>Seed</span>
    <input type="number" id="train-dice" min="0" max="2147483647" step="1" value="1" required />
  </label>
  <button type="submit" id="train-write" disabled>Write</button>
</form>
<p class="written" id="train-written" aria-live="polite" hidden></p>

<h2>Keep it</h2>
<p class="note" id="train-model">There is no model yet.</p>
<div class="row">
  <button type="button" id="train-save" disabled>Save in this browser</button>
  <button type="button" id="train-load" disabled>Load what is saved</button>
  <button type="button" id="train-download" disabled>Download the model</button>
  <button type="button" id="train-checkpoint" disabled>Download safetensors</button>
</div>
<p class="note" id="train-saved"></p>
<details>
  <summary>What localTransformer is told</summary>
  <pre class="mono" id="train-code" tabindex="0" aria-label="The options of localTransformer"></pre>
  <p class="note">
    After <code>registerFasterKernels()</code>. The download loads by <code>tf.loadLayersModel</code> and
    writes by <code>npm run generate</code>; the safetensors file is for PyTorch, and holds no alphabet.
    <span id="train-tensors"></span>
  </p>
</details>`;

function select(id: string, label: string, options: string[]): string {
  return `<label class="field"><span>${label}</span><select id="train-${id}">${options.join('')}</select></label>`;
}

function option(value: string | number, label: string, selected: boolean): string {
  return `<option value="${value}"${selected ? ' selected' : ''}>${label}</option>`;
}

function list(values: number[], chosen: number): string[] {
  return values.map((value) => option(value, value.toLocaleString('en'), value === chosen));
}

function windows(): string[] {
  return [2, 4, 8, 16, 32].map((back) => option(back, `each block looks back ${back}`, back === 4));
}

function sizes(): string[] {
  return Object.entries(SIZES).map(([name, {dim, depth}]) => {
    const blocks = `${depth} block${depth > 1 ? 's' : ''}`;
    return option(name, `${name}: ${blocks} of ${dim}`, name === 'medium');
  });
}

function figure(id: string, label: string): string {
  return `<div><dt>${label}</dt><dd id="train-figure-${id}">–</dd></div>`;
}
