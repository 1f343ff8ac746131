/** One candidate in a page. */
import {setBackend} from '../gpu/set_backend';
import {answerer} from './answer';
import {TFJS} from './tfjs';

export const answer = answerer(async ({candidate, backend}, model) => {
  await setBackend(backend);
  return TFJS[candidate](model, 1);
});
