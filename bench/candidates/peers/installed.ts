import {createRequire} from 'node:module';
import path from 'node:path';

import {Skipped} from '../../candidate';

/** Where scripts/install_peers.sh puts other libraries. */
export const PEERS_HOME = path.join(__dirname, '..', '..', 'peers');

const requirePeer = createRequire(path.join(PEERS_HOME, 'package.json'));

/** An npm package of the peers. @throws Skipped where it is not installed */
export function peer<T>(name: string): T {
  try {
    return requirePeer(name) as T;
  } catch (error) {
    const {code, message} = error as NodeJS.ErrnoException;
    if (code === 'MODULE_NOT_FOUND' && message.includes(name)) throw notInstalled(name);
    throw new Skipped(`${name} does not load: ${message.split('\n')[0]}`);
  }
}

export function notInstalled(name: string): Skipped {
  return new Skipped(`${name} is not installed (scripts/install_peers.sh does it)`);
}
