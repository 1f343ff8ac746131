/**
 * The buffer `inv_freq` of the original's rotary embedding, 10000^(−2m/d) for m < d/2, computed in
 * float32 in its steps. We rotate by angles of float64, so nothing here reads it.
 */
export function inverseFrequencies(dimHead: number): Float32Array {
  const {fround} = Math;
  return Float32Array.from({length: Math.ceil(dimHead / 2)}, (_, m) =>
    fround(1 / fround(10000 ** fround((2 * m) / dimHead))),
  );
}
