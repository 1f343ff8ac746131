/** What the view is made of, before anything is written. */
import config from '../../model/config.json';

const {shape, weights, bitsPerChar} = config;

const words: Record<number, string> = {2: 'two', 3: 'three', 4: 'four', 8: 'eight', 12: 'twelve'};

export const MARKUP = `
  <h1 id="title-write">It writes, one character at a time</h1>
  <p class="lead">
    A model of ${weights.toLocaleString('en')} weights that has read <cite>Moby Dick</cite> goes on
    from your words. Each of its ${words[shape.depth] ?? shape.depth} blocks looks back
    ${words[shape.window] ?? shape.window} characters and no further: that is its window. Point at a
    character to see what was looked at before it was written.
  </p>
  <div class="desk">
    <div class="paper card">
      <div class="text" id="text" tabindex="0" role="group" aria-label="The text"
        aria-describedby="text-keys"></div>
      <p class="unseen" id="text-keys">
        Left and right choose a character and show what was looked at before it was written; Escape
        lets it go.
      </p>
      <div class="unseen" id="spoken" aria-live="polite"></div>
      <div class="row actions">
        <button type="button" class="primary" id="stop">Stop</button>
        <button type="button" id="again">Begin again</button>
        <p class="note" id="hand" role="status">Starting …</p>
      </div>
      <p class="problem" id="problem" role="alert" hidden></p>
    </div>
    <form class="controls" id="controls" aria-label="How it writes">
      <label class="field"><span>Your words</span>
        <textarea id="prompt" rows="2" maxlength="400" spellcheck="false">Call me </textarea></label>
      <p class="note" id="prompt-note" role="status"></p>
      ${slider('speed', 'Speed', 1, 200, 1, 40)}
      ${slider('temperature', 'Temperature', 0, 1.5, 0.05, 0.6)}
      ${slider('top-p', 'Top-p', 0.05, 1, 0.05, 0.95)}
      <div class="pair">
        <label class="field"><span>Seed</span>
          <input type="number" id="seed" min="0" max="2147483647" step="1" value="1" /></label>
        <button type="button" id="another">Another</button>
      </div>
      <label class="field"><span>Backend</span>
        <select id="backend">
          <option value="cpu">cpu</option>
          <option value="wasm">wasm</option>
          <option value="webgl">webgl</option>
          <option value="webgpu">webgpu</option>
        </select></label>
    </form>
  </div>
  <div class="heads-top">
    <h2 id="heads-title">What its heads looked at</h2>
    <button type="button" id="all-heads">All heads</button>
  </div>
  <p class="note" id="looked" role="status">Before each character, every head of every block weighs the last
    ${shape.window + 1} characters.</p>
  <div class="heads" id="heads" role="group" aria-labelledby="heads-title"></div>
  <p class="note">
    2.3 is the third head of the second block, with what it looked at most. A row is a character that
    looks, the newest at the foot; a column is how far back it looks, itself at the right. The pictures are computed on cpu, whatever writes. On pages that it has not
    read the model needs ${bitsPerChar.model.toFixed(2)} bits for a character; counting pairs needs
    ${bitsPerChar.bigram.toFixed(2)}.
  </p>`;

function slider(id: string, name: string, min: number, max: number, step: number, value: number) {
  return `<label class="field"><span>${name} <output id="${id}-value" for="${id}"></output></span>
    <input type="range" id="${id}" min="${min}" max="${max}" step="${step}" value="${value}" /></label>`;
}
