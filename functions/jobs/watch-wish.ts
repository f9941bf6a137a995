import type { Blobs } from "../../shared/storage/blobs.ts";
import type { Wish } from "./wish.contract.ts";
import { wishOf } from "./wishes.ts";

/** How often a wish is looked at while work is under way. Our own choice: reads are cheap, and people wait. */
const LOOK_MS = 1_000;

/**
 * Does a piece of a job's work, and aborts `told` once the job is to pause or to end, or to do what else of these it
 * `heeds`: nothing new is to be begun then. A look that fails is made up for by the next. The wish is looked at before
 * the work begins, too.
 */
export const whileWatched = async <T>(
  state: Blobs,
  jobs: readonly string[],
  work: (told: AbortSignal) => Promise<T>,
  {
    heeds = ["pause", "cancel"],
    everyMs = LOOK_MS,
  }: { readonly heeds?: readonly Wish[]; readonly everyMs?: number } = {},
): Promise<T> => {
  const told = new AbortController();
  const look = async (): Promise<void> => {
    const wish = await wishOf(state, jobs).catch(() => "go-on" as const);
    if (heeds.includes(wish)) told.abort();
  };
  await look();
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
  }, everyMs);
  try {
    return await work(told.signal);
  } finally {
    clearInterval(timer);
    await looking;
  }
};
