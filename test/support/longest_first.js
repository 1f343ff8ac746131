const {default: Sequencer} = require('@jest/test-sequencer');

/**
 * What takes minutes begins first, so that no core waits for the other at the end. Jest knows how
 * long a file took, but in a fresh clone only how large it is, and those of browsers are the smallest.
 */
const LONG = ['/test/browser/webg', '/test/oracle/', '/test/browser/', '/test/property/'];

/** A lower number begins earlier. */
function rank({path}) {
  const at = LONG.findIndex((part) => path.includes(part));
  return at < 0 ? LONG.length : at;
}

/** Those files first, each group as Jest would have it. */
module.exports = class extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
};
