// What comes first: a map takes the page a second to begin, and the queue is what somebody needs.

import type { Operations } from './operations.svelte';

/** Without a server's word after this long, the rest begins without it; a busy one takes some
 * seconds for a large city, and a map that begins meanwhile makes the queue later still. */
const PATIENCE_MS = 10_000;

/** Resolves once the first snapshot has been drawn. */
export function firstDrawn(operations: Operations): Promise<void> {
  if (operations.loaded) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop();
      // The frame that shows it, and then the rest.
      requestAnimationFrame(() => setTimeout(resolve));
    };
    const stop = operations.subscribe(() => operations.loaded && done());
    const timer = setTimeout(done, PATIENCE_MS);
  });
}
