/**
 * Uniform numbers in [0, 1), fixed by the seed: sfc32 of PractRand (Chris Doty-Humphrey, public domain),
 * seeded as there. Of 32 bits each, by integer arithmetic, so that they are the same everywhere.
 *
 * @param seed a whole number from 0 to 2³² − 1
 */
export function randomNumbers(seed: number): () => number {
  let [a, b, c, counter] = [0, seed | 0, 0, 1];
  const next = () => {
    const mixed = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + mixed) | 0;
    return (mixed >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i++) next(); // until each bit of the seed has reached every number
  return next;
}
