/** One backend's charts and numbers. */
import {amountOf} from '../window/memory';
import {Chart, Range, makeChart} from './chart';
import {msOf} from './markdown';
import {Candidate, isEmulated} from './machine';
import {LENGTHS, Lines, longestOfBoth, tokens} from './plan';

export interface Card {
  candidate: Candidate;
  lines: Lines;
  draw(time: Range, memory: Range): void;
  remove(): void;
}

export function makeCard(
  place: HTMLElement,
  candidate: Candidate,
  lines: Lines,
  longest: number,
): Card {
  const {title, device} = candidate;
  const article = document.createElement('article');
  article.className = 'card';
  const emulated = isEmulated(device) ? ' A program stands in for a GPU here: its times say nothing of one.' : ''; // prettier-ignore
  article.innerHTML = `<h2>${title}</h2><p class="note device"></p><p class="summary"></p>
    <div class="charts">
      <div><h3>Milliseconds</h3><div class="chart" role="img"></div></div>
      <div><h3>Bytes held</h3><div class="chart" role="img"></div></div>
    </div>
    <details><summary>Numbers</summary><div class="table" tabindex="0"></div></details>`;
  article.querySelector('.device')!.textContent = `${device}.${emulated}`;
  place.append(article);
  const [times, bytes] = Array.from(article.querySelectorAll<HTMLElement>('.chart'));
  const charts: Chart[] = [
    makeChart(times, longest, ({ms}) => ms, plain),
    makeChart(bytes, longest, (point) => point.bytes, amountOf),
  ];
  return {
    candidate,
    lines,
    draw(time, memory) {
      charts[0].draw(lines, time);
      charts[1].draw(lines, memory);
      const said = summary(lines);
      article.querySelector('.summary')!.textContent = said;
      times.setAttribute('aria-label', `Milliseconds against length, ${title}. ${said}`);
      bytes.setAttribute('aria-label', `Bytes held against length, ${title}.`);
      article.querySelector('.table')!.setAttribute('aria-label', `Numbers of ${title}`);
      article.querySelector('.table')!.innerHTML = tableOf(lines);
    },
    remove() {
      for (const chart of charts) chart.remove();
      article.remove();
    },
  };
}

/** How they compare, and where a line has ended. */
export function summary(lines: Lines): string {
  const n = longestOfBoth(lines);
  const sentences: string[] = [];
  if (n !== null) {
    const [fused, composite] = [lines.fused.points.get(n)!, lines.composite.points.get(n)!];
    const time = (composite.ms / fused.ms).toPrecision(2);
    const memory = (composite.bytes / fused.bytes).toPrecision(2);
    sentences.push(`At ${tokens(n)}, composed takes ${time} times as long as fused and holds ${memory} times as much.`); // prettier-ignore
  }
  if (lines.fused.ended) sentences.push(`Fused ${lines.fused.ended}`);
  if (lines.composite.ended) sentences.push(`Composed ${lines.composite.ended}`);
  // a reason may be a sentence
  return sentences.map((words) => words.replace(/\.?$/, '.')).join(' ');
}

function tableOf(lines: Lines): string {
  const cells = (n: number) =>
    (['fused', 'composite'] as const).flatMap((by) => {
      const point = lines[by].points.get(n);
      return point ? [msOf(point.ms), amountOf(point.bytes)] : ['–', '–'];
    });
  const measured = LENGTHS.filter((n) => lines.fused.points.has(n) || lines.composite.points.has(n)); // prettier-ignore
  const rows = measured.map((n) => {
    const all = cells(n).map((cell) => `<td>${cell}</td>`);
    return `<tr><th scope="row">${n.toLocaleString('en')}</th>${all.join('')}</tr>`;
  });
  const head = ['Tokens', 'Fused', 'holds', 'Composed', 'holds'];
  return `<table><thead><tr>${head.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead>
    <tbody>${rows.join('')}</tbody></table>`;
}

function plain(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en');
}
