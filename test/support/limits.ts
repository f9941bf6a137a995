/** The limit of a test. It finds what hangs, and measures nothing: no machine is so slow. */
export const HANGS_MS = 300_000;

/**
 * For what is waited for: shorter than the limit of the test, so that it is the wait which says what it missed.
 * `vi.waitFor` is no way to wait here: it puts the clock forward of whichever test has a fake one by then.
 */
export const PATIENCE_MS = 240_000;
