/** Resolves when the page has nothing else to do, or after `latestMs` whatever it does. */
export function idle(latestMs: number): Promise<void> {
  return new Promise((resolve) => {
    // Safari has no such thing; there the next task has to do.
    if (typeof requestIdleCallback === 'undefined') setTimeout(resolve);
    else requestIdleCallback(() => resolve(), { timeout: latestMs });
  });
}
