/**
 * Writes the option tables of the documents from the tables of the code, whose comments say what an
 * option means:
 *
 *     npx tsx scripts/option_tables.ts
 */
import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

import {LOCAL_TRANSFORMER, resolveTransformer} from '../models/config';
import {LOCAL_ATTENTION, resolveConfig} from '../src/attention/config';
import type {Table} from '../src/check/options';
import {LOCAL_MHA, resolveMHAConfig} from '../src/nn/local_mha';

const ROOT = path.join(__dirname, '..');
const PLACE = /(<!-- scripts\/option_tables.ts (\w+) -->\n)[\s\S]*?(<!-- end -->)/g;

const {attention, ...own} = resolveMHAConfig('docs', {dim: 8, windowSize: 4});

/** The documents that have tables. */
export const WITH_OPTIONS = ['docs/layers.md', 'docs/language_models.md'];

const ATTENTION = ['src/attention/config.ts', 'LOCAL_ATTENTION'] as const;
const MHA = ['src/nn/local_mha.ts', 'LOCAL_MHA'] as const;

/** Where comments stand, the first one first, and what the options are by default. */
const TABLES: Record<
  string,
  {
    table: Table;
    comments: readonly (readonly [file: string, name: string])[];
    defaults: Record<string, unknown>;
  }
> = {
  LOCAL_ATTENTION: {
    table: LOCAL_ATTENTION,
    comments: [ATTENTION],
    defaults: resolveConfig('docs', {windowSize: 4}),
  },
  LOCAL_MHA: {table: LOCAL_MHA, comments: [MHA], defaults: {...attention, ...own}},
  LOCAL_TRANSFORMER: {
    table: LOCAL_TRANSFORMER,
    comments: [
      ['models/config.ts', 'LOCAL_TRANSFORMER'],
      ['layers/local_transformer_block.ts', 'BLOCK'],
      MHA,
      ATTENTION,
    ],
    defaults: resolveTransformer('docs', {dim: 8, depth: 1}),
  },
};

/** A document with its tables as the code says. */
export function withOptionTables(document: string): string {
  return document.replace(PLACE, (_, begin: string, name: string, end: string) => {
    return `${begin}\n${tableOf(name)}\n${end}`;
  });
}

function tableOf(name: string): string {
  const {table, comments, defaults} = TABLES[name];
  const meanings = new Map(
    [...comments].reverse().flatMap(([file, table]) => [...meaningsOf(file, table)]),
  );
  const rows = Object.entries(table).map(([option, {rule, ...kind}]) => {
    const absent = 'required' in kind ? 'required' : shown(defaults[option]);
    return [`\`${option}\``, absent, meanings.get(option) ?? 'as above', rule];
  });
  const all = [['option', 'default', 'meaning', 'rule'], ...rows];
  const widths = all[0].map((_, c) => Math.max(...all.map((cells) => cells[c].length)));
  const [header, ...body] = all.map((cells) => cells.map((cell, c) => cell.padEnd(widths[c])));
  const ruler = widths.map((width) => '-'.repeat(width));
  return [header, ruler, ...body].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

function shown(value: unknown): string {
  return value == null ? '–' : `\`${typeof value === 'string' ? `'${value}'` : value}\``;
}

/** What the comments of a table say of its options. */
function meaningsOf(file: string, name: string): Map<string, string> {
  const text = fs.readFileSync(path.join(ROOT, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === name) {
      for (const option of (node.initializer as ts.ObjectLiteralExpression).properties) {
        const words = ts
          .getJSDocCommentsAndTags(option)
          .map((doc) => doc.getText())
          .join(' ');
        if (option.name && words !== '') found.set(option.name.getText(), plain(words));
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** A comment as prose. */
function plain(comment: string): string {
  const text = comment.replace(/^\/\*\*|\*\/$/g, '').replace(/\n\s*\* ?/g, ' ');
  const words = text
    .replace(/@deprecated/, 'Deprecated:')
    .replace(/\{@link LOCAL_ATTENTION\}/g, '`localAttention`')
    .replace(/\{@link (\w+)\}/g, '`$1`');
  return words.replace(/\s+/g, ' ').trim().replace(/\.$/, '');
}

if (require.main === module) {
  for (const name of WITH_OPTIONS) {
    const file = path.join(ROOT, name);
    fs.writeFileSync(file, withOptionTables(fs.readFileSync(file, 'utf8')));
  }
}
