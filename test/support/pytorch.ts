/**
 * The real PyTorch, where it is: the interpreter that PYTHON names, which must then have it, or that
 * of .venv, made by `python3 -m venv .venv && .venv/bin/pip install -r scripts/requirements.txt`.
 */
import {execFileSync, spawnSync} from 'node:child_process';
import {dirname, join} from 'node:path';

const ROOT = join(__dirname, '..', '..');
const PYTHON = process.env.PYTHON ?? join(ROOT, '.venv/bin/python');
const NEEDED = 'import torch, local_attention, hyper_connections, safetensors.torch';

const {status, stderr, error} = spawnSync(PYTHON, ['-c', NEEDED], {encoding: 'utf8'});

/** Why there is none, or null. */
export const WITHOUT = status === 0 ? null : `${PYTHON}: ${error?.message ?? stderr.trim().split('\n').pop()}`; // prettier-ignore

if (WITHOUT !== null && process.env.PYTHON) throw new Error(`PYTHON has no PyTorch: ${WITHOUT}`);
if (WITHOUT !== null) console.warn(`skipped: the real PyTorch (${WITHOUT})`);

/** `test`, where there is PyTorch. */
export const testWithPyTorch = WITHOUT === null ? test : test.skip;

/** What a command of the shell prints, run from the root with this Python and its programs before others. */
export function shell(command: string): string {
  const {PATH} = process.env;
  const env = {...process.env, PATH: `${dirname(PYTHON)}:${PATH}`, PYTHONDONTWRITEBYTECODE: '1'};
  return execFileSync('bash', ['-ec', command], {cwd: ROOT, encoding: 'utf8', env});
}
