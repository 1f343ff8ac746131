/**
 * What is kept of the past by an attention that decodes: a ring of keys and one of values, in whose
 * place `newest` the new token goes. All fields take 4 bytes, as those of a call, which tells the rest.
 */
@unmanaged
export class Ring {
  /** Places of a ring. */
  capacity: i32;
  /** The place of the new token, and that of the first it sees. */
  newest: i32;
  first: i32;
  /** Keys that it sees, itself the last of them. */
  seen: i32;
  /** Numbers of a head's bias before that of the first key. */
  biasOffset: i32;
  /** [batch · heads][capacity][headDim], keys normalised and rotated; written to */
  keys: usize;
  /** [batch · heads][capacity][valueDim]; written to */
  values: usize;
  /** [batch][capacity]: 0 for a token that does not exist */
  exists: usize;
  /** [seen][headDim / 2]: what the channels of the keys are multiplied by, under xpos */
  scales: usize;
}
