/** The elements of the view, by the names that markup.ts gives them. */

export function part<E extends HTMLElement = HTMLElement>(name: string): E {
  return document.getElementById(`train-${name}`) as E;
}

export const button = (name: string) => part<HTMLButtonElement>(name);
