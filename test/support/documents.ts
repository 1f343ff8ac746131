/** README.md and docs/: their fenced blocks, and what each is held to. */
import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';

export const ROOT = join(__dirname, '../..');

/** The documents, by their paths from the root. */
export const DOCUMENTS = [
  ...['README.md', 'CONTRIBUTING.md'],
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

export interface Block {
  document: string;
  /** Under which it stands. */
  heading: string;
  language: string;
  code: string;
  /** What the block below it says that it prints, or null. */
  prints: string | null;
}

/** What a block is held to: a test for each kind runs, or checks, all that there are. */
export type Kind =
  | 'program' // runs in Node
  | 'vite' // a page that Vite builds
  | 'page' // is opened in a browser
  | 'python'
  | 'commands'
  | 'headers'
  | 'output' // is what the block above it prints
  | 'picture'; // of which a test knows who draws it

export function textOf(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8');
}

/** All blocks of all documents, in order. */
export const BLOCKS: readonly Block[] = DOCUMENTS.flatMap(blocksOf);

function blocksOf(document: string): Block[] {
  const text = textOf(document);
  const fences = [...text.matchAll(/^```(\S*)\n([\s\S]*?)^```$/gm)];
  return fences.map(({index, 0: fence, 1: language, 2: code}, at) => {
    const next = fences[at + 1];
    const between = next && text.slice(index + fence.length, next.index).trim();
    const prints = between === '' && next[1] === 'text' ? next[2] : null;
    const heading = [...text.slice(0, index).matchAll(/^#+ (.*)$/gm)].pop()?.[1] ?? '';
    return {document, heading, language, code, prints};
  });
}

/** @throws if it is none that is known: then no test would run it */
export function kindOf(block: Block): Kind {
  const {language, code} = block;
  if (language === 'text') return isOutput(block) ? 'output' : 'picture';
  if (language === 'ts' || language === 'js') return IN_A_PAGE.test(code) ? 'vite' : 'program';
  if (language in KINDS) return KINDS[language];
  throw new Error(`nothing runs the block of '${language}' in ${block.document}: ${code}`);
}

/** What Node does not have. */
const IN_A_PAGE = /\?url'|\('indexeddb:/;

const KINDS: Record<string, Kind> = {html: 'page', py: 'python', sh: 'commands', http: 'headers'};

/** Whether a block that runs stands right above, and says that it prints this. */
function isOutput(block: Block): boolean {
  const above = BLOCKS[BLOCKS.indexOf(block) - 1];
  return above?.prints === block.code && ['ts', 'js', 'html', 'sh'].includes(above.language);
}

export const blocksOfKind = (kind: Kind) => BLOCKS.filter((block) => kindOf(block) === kind);
