/** Dark or light: as the system has it, until the visitor chooses. */
const KEY = 'theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

/** Makes `button` the switch between both. Views that paint on a canvas listen to `theme`. */
export function chooseTheme(button: HTMLButtonElement): void {
  const render = () => {
    const theme = chosen() ?? (dark.matches ? 'dark' : 'light');
    document.documentElement.dataset.theme = theme;
    button.textContent = theme === 'dark' ? 'Light' : 'Dark';
    button.setAttribute('aria-label', theme === 'dark' ? 'Light colours' : 'Dark colours');
    dispatchEvent(new Event('theme'));
  };
  button.addEventListener('click', () => {
    keep(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
    render();
  });
  dark.addEventListener('change', render);
  render();
}

// storage may be forbidden, and then the choice lasts as long as the page
let here: string | null = null;

function chosen(): string | null {
  try {
    return localStorage.getItem(KEY) ?? here;
  } catch {
    return here;
  }
}

function keep(theme: string): void {
  here = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // kept here alone
  }
}
