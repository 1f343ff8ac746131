/** The site of the documents has them all, and its check would notice what a page loads from elsewhere. */
import {isView, loadedFromElsewhere} from '../../scripts/check_links';
import {DOCUMENTS, textOf} from '../support/documents';

test('every document is on the site, README.md first', () => {
  const {readme, projectDocuments} = JSON.parse(textOf('typedoc.json'));
  expect([readme, ...projectDocuments]).toEqual(expect.arrayContaining(DOCUMENTS));
});

test.each([
  '<script src="https://cdn.example.org/a.js"></script>',
  '<link rel="stylesheet" href="//fonts.example.org/css">',
  '<img alt="" src="http://example.org/a.png">',
  '@font-face { src: url("https://example.org/a.woff2"); }',
  '@import "https://example.org/a.css";',
])('%s is found to load something', (text) => {
  expect(loadedFromElsewhere('page', text)).toHaveLength(1);
});

test.each(['<a href="https://example.org">there</a>', '<script src="./a.js"></script>'])(
  '%s loads nothing from elsewhere',
  (text) => expect(loadedFromElsewhere('page', text)).toEqual([]),
);

test('a link to a view of the playground leads somewhere if there is that view', () => {
  const page = '<section id="view-write"></section>';
  expect(isView('index.html#write', page)).toBe(true);
  expect(isView('index.html#read', page)).toBe(false);
  expect(isView('docs/index.html#write', page)).toBe(false);
});
