/** An answer that is awaited until the visitor stops: of a worker that has ended none comes. */
export function unlessStopped(signal: AbortSignal): <T>(answer: T) => Promise<Awaited<T>> {
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), {once: true});
  });
  stopped.catch(() => null); // nobody may be waiting
  return (answer) => Promise.race([answer, stopped]);
}
