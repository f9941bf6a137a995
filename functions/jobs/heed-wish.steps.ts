import type { OrchestrationContext, Task } from "durable-functions";
import { momentIn } from "../../shared/durable/pause.ts";
import { callOrBlock, sleep } from "../../shared/durable/waits.ts";
import { readWish } from "./wish.contract.ts";

/** How long a paused job sleeps unless it is woken. It looks then for itself, since an event may get lost. */
const PAUSED_MS = 15 * 60_000;

/**
 * Looks at what a job is to do, at the beginning of a generation. One that is to pause sleeps, and goes on as another
 * generation with the same input. `showPaused` is called before.
 *
 * @throws {BlockedError} when storage is away.
 */
export function* heedWish(
  context: OrchestrationContext,
  jobs: readonly string[],
  showPaused: () => void,
): Generator<Task, "go-on" | "cancel" | "paused", unknown> {
  const { wish } = yield* callOrBlock(context, readWish, { jobs: [...jobs] });
  if (wish !== "pause") return wish;
  showPaused();
  yield* sleep(context, momentIn(context, PAUSED_MS));
  return "paused";
}
