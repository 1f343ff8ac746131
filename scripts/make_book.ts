/** Puts the book that the page trains on where Vite finds it: it comes from a package, and is not committed. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

import {novel} from '../examples/char_lm/corpus';

const folder = join(__dirname, '../examples/playground/public');
mkdirSync(folder, {recursive: true});
writeFileSync(join(folder, 'book.txt'), novel());
