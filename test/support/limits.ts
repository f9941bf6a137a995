/** The limit of a test. It finds what hangs, and measures nothing: no machine is so slow. */
export const HANGS_MS = 300_000;

/**
 * For `vi.waitFor` and the like: shorter than the limit of the test, so that it is the wait which says what it missed.
 */
export const PATIENTLY = { timeout: 240_000, interval: 5 };
