/** One candidate in a page, or where its steps go. */
import {setBackend} from '../gpu/set_backend';
import {answerer} from './answer';
import {Profile, profiled} from './profiled';
import {TFJS} from './tfjs';

export const answer = answerer(async ({candidate, backend}, model) => {
  await setBackend(backend);
  return TFJS[candidate](model, 1);
});

export interface Profiled {
  backend: string;
  workload: string;
  faster: boolean;
}

export async function profile({backend, workload, faster}: Profiled): Promise<Profile> {
  await setBackend(backend);
  return profiled(workload, faster);
}
