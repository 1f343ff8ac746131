/** A server for pages of tests, on a port of its own. */
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';

export interface Resource {
  type: string;
  body: string | Buffer;
  /** Beside those of all. */
  headers?: Record<string, string>;
}

/** Without them a page has neither threads nor memory that they share. */
export const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export interface Server {
  origin: string;
  close(): void;
}

/** @param find what is at a path, or null */
export async function serve(
  find: (path: string) => Resource | null,
  headers: Record<string, string> = {},
): Promise<Server> {
  const server = createServer(({url = ''}, response) => {
    const found = find(new URL(url, 'http://localhost').pathname);
    if (!found) return void response.writeHead(404).end();
    const all = {'Content-Type': found.type, ...headers, ...found.headers};
    response.writeHead(200, all).end(found.body);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const {port} = server.address() as AddressInfo;
  return {origin: `http://127.0.0.1:${port}`, close: () => void server.close()};
}
