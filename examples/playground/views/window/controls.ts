/** Sliders and switches of the window. Each change is told at once, while a slider is dragged too. */
import type {Window} from './options';

type Counts = 'windowSize' | 'lookBackward' | 'lookForward';
type Flags = 'causal' | 'exactWindowsize' | 'sharedQk';

const SLIDERS: {name: Counts; label: string; unit: string; min: number; max: number}[] = [
  {name: 'windowSize', label: 'Window size', unit: 'token', min: 1, max: 24},
  {name: 'lookBackward', label: 'Look back', unit: 'window', min: 0, max: 4},
  {name: 'lookForward', label: 'Look forward', unit: 'window', min: 0, max: 4},
];
const SWITCHES: {name: Flags; label: string; meaning: string}[] = [
  {name: 'causal', label: 'Causal', meaning: 'no query sees a key after itself'},
  {name: 'exactWindowsize', label: 'Exact', meaning: 'the exact band instead of whole windows'},
  {name: 'sharedQk', label: 'Shared keys', meaning: 'queries are the keys too (Reformer)'},
];
const POSITIONS: {value: Window['positions']; label: string}[] = [
  {value: 'rotary', label: 'Rotary'},
  {value: 'xpos', label: 'xpos'},
  {value: 'none', label: 'None'},
];

export interface Controls {
  show(window: Window): void;
}

/** Fills `form`; `change` is called with what the visitor has changed. */
export function makeControls(
  form: HTMLFormElement,
  change: (changed: Partial<Window>) => void,
): Controls {
  const sliders = SLIDERS.map(({name, label, min, max}) => {
    return `<label class="field"><span>${label} <output id="window-${name}-value"></output></span>
      <input type="range" id="window-${name}" name="${name}" min="${min}" max="${max}" step="1" /></label>`;
  });
  const switches = SWITCHES.map(({name, label, meaning}) => {
    return `<label class="check"><input type="checkbox" id="window-${name}" name="${name}" />
      <span>${label}<small>${meaning}</small></span></label>`;
  });
  const positions = POSITIONS.map(({value, label}) => {
    return `<label class="check"><input type="radio" name="positions" value="${value}" />${label}</label>`;
  });
  form.innerHTML = `${sliders.join('')}<div class="switches">${switches.join('')}</div>
    <fieldset><legend>Positions</legend><div class="row">${positions.join('')}</div></fieldset>`;

  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('input', ({target}) => {
    const {name, type, value, checked, valueAsNumber} = target as HTMLInputElement;
    const chosen = type === 'range' ? valueAsNumber : type === 'checkbox' ? checked : value;
    change({[name]: chosen});
  });

  const input = (id: string) => form.querySelector<HTMLInputElement>(id)!;
  return {
    show(window) {
      for (const {name, unit} of SLIDERS) {
        const count = window[name];
        const value = `${count} ${unit}${count === 1 ? '' : 's'}`;
        input(`#window-${name}`).value = `${count}`;
        input(`#window-${name}`).setAttribute('aria-valuetext', value);
        form.querySelector(`#window-${name}-value`)!.textContent = value;
      }
      for (const {name} of SWITCHES) input(`#window-${name}`).checked = window[name];
      input(`[value=${window.positions}]`).checked = true;
    },
  };
}
