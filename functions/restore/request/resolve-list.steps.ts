import type { OrchestrationContext, Task } from "durable-functions";
import { restoresInstance } from "../../../shared/contracts/job-ids.ts";
import { callOrBlock, orWait, type Wait } from "../../../shared/durable/waits.ts";
import { heedWish } from "../../jobs/heed-wish.steps.ts";
import type { ListStatus } from "../restore.progress.ts";
import type { RestoreMailboxesInput } from "../restore-list.contract.ts";
import { arrangeRestores, type Refusal, resolveRestores } from "./resolve-list.contract.ts";

/** Steps in one generation: bounds its history. */
const STEPS_PER_GENERATION = 20;

/** A list that is looked up: how many of its restores are, and what it has waited for since it last did something. */
interface Resolving {
  readonly list: Omit<RestoreMailboxesInput, "resolving">;
  resolved: number;
  wait: Wait | undefined;
}

/**
 * Looks up what the restores of a list name. Returns the input of the list's next generation, or that it was cancelled.
 *
 * @throws {Error} when some restore cannot start: the status then says which, and why. None has begun.
 */
export function* resolveList(
  context: OrchestrationContext,
  { resolving, ...list }: RestoreMailboxesInput,
): Generator<Task, RestoreMailboxesInput | "cancelled", unknown> {
  const run: Resolving = { list, resolved: resolving?.next ?? 0, wait: resolving?.wait };
  const end = yield* orWait(context, run, lookUp(context, run), (waiting) => show(context, run, { waiting }));
  if (end !== undefined) return end;
  return { ...list, resolving: { next: run.resolved, ...(run.wait !== undefined && { wait: run.wait }) } };
}

/** Returns `undefined` when another generation goes on. */
function* lookUp(
  context: OrchestrationContext,
  run: Resolving,
): Generator<Task, RestoreMailboxesInput | "cancelled" | undefined, unknown> {
  const { list } = run;
  const { listId, restores } = list;
  for (let steps = 0; steps < STEPS_PER_GENERATION; steps += 1) {
    show(context, run);
    const wish = yield* heedWish(context, [restoresInstance(listId)], () => show(context, run, { paused: true }));
    if (wish === "cancel") return "cancelled";
    if (wish === "paused") return undefined;
    if (run.resolved < restores) {
      run.resolved = (yield* callOrBlock(context, resolveRestores, { listId, from: run.resolved })).next;
      run.wait = undefined;
      continue;
    }
    const answer = yield* callOrBlock(context, arrangeRestores, { listId });
    if ("mailboxes" in answer) return { ...list, mailboxes: answer.mailboxes };
    show(context, run, { phase: "refused", result: answer });
    throw new Error(refusalText(restores, answer));
  }
  return undefined;
}

const show = (context: OrchestrationContext, run: Resolving, more: Partial<ListStatus> = {}): void => {
  const { list, resolved } = run;
  const status = { phase: "resolving", restores: list.restores, resolved, mailboxes: 0, places: 0 } as const;
  context.df.setCustomStatus({ ...status, ...more } satisfies ListStatus);
};

const refusalText = (restores: number, { count }: Refusal): string =>
  `list-refused: nothing was started, since ${count} of ${restores} restores cannot start: correct or leave them out`;
