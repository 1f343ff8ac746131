/** Who computes when: one thing at a time, and messages of the page in between. */

/** Lets the worker hear its messages, such as Pause. A timer would wait for milliseconds, a promise not at all. */
export function othersFirst(): Promise<void> {
  return new Promise((resolve) => {
    const {port1, port2} = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Runs tasks one after the other, in the order in which they are given. */
export class OneAtATime {
  private last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const done = this.last.then(task);
    this.last = done.catch(() => {});
    return done;
  }

  /** Waits no longer for a task that will never end. */
  giveUp(): void {
    this.last = Promise.resolve();
  }
}
