/** The road of docs/pytorch.md, by its commands: trained by PyTorch, trained on here, and back. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {shell, testWithPyTorch} from '../support/pytorch';

const GUIDE = fs.readFileSync(path.join(__dirname, '../../docs/pytorch.md'), 'utf8');
const [, commands, printed] = GUIDE.match(/^```sh\n([\s\S]*?)^```\n+```text\n([\s\S]*?)^```$/m)!;

/** The lines without their numbers, which another processor rounds otherwise. */
const wordsOf = (text: string) =>
  text
    .trim()
    .replace(/\d+(\.\d+)?(e-\d+)?/g, '…')
    .split('\n');

testWithPyTorch(
  'the commands of docs/pytorch.md print what stands below them, and the logits agree both ways',
  () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cluster-'));
    const [install, ...rest] = commands.trim().split('\n');
    expect(install).toBe('pip install -r scripts/requirements.txt'); // done, or this were skipped
    expect(rest.every((command) => command.endsWith(' cluster'))).toBe(true);
    try {
      const output = shell(rest.map((one) => one.replace(/ cluster$/, ` '${folder}'`)).join('\n'));
      expect(wordsOf(output)).toEqual(wordsOf(printed));
      const [first, last] = [...output.matchAll(/step \d+: loss ([\d.]+)/g)].map((one) => Number(one[1])); // prettier-ignore
      expect(last).toBeLessThan(first - 1);
      for (const [, difference] of output.matchAll(/the logits differ from .* by (.*)/g)) {
        expect(Number(difference)).toBeLessThan(1e-4);
      }
    } finally {
      fs.rmSync(folder, {recursive: true});
    }
  },
  300_000,
);
