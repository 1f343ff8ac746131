/**
 * Lets timers, events and the page have their turn. A promise alone does not: on backends that compute
 * at once its continuation runs before all of them, and a loop of such would keep everybody waiting.
 */
export function othersFirst(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  // not a timer, which browsers hold back for 4 ms
  const {port1, port2} = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
