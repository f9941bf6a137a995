import type { OrchestrationContext, Task } from "durable-functions";
import { call } from "../../../shared/durable/activity.ts";
import { isAway, nextWait } from "../../../shared/durable/outages.ts";
import { momentIn, pause } from "../../../shared/durable/pause.ts";
import type { ListStatus } from "../restore.progress.ts";
import type { RestoreMailboxesInput } from "../restore-list.contract.ts";
import { arrangeRestores, type Refusal, resolveRestores } from "./resolve-list.contract.ts";

/** Activities in one generation: bounds its history. */
const CALLS_PER_GENERATION = 40;

/**
 * Looks up what the restores of a list name, and returns the input of the list's next generation. Waits while Graph or
 * storage is away.
 *
 * @throws {Error} when some restore cannot start: the status then says which, and why. None has begun.
 */
export function* resolveList(
  context: OrchestrationContext,
  { resolving, ...list }: RestoreMailboxesInput,
): Generator<Task, RestoreMailboxesInput, unknown> {
  const { listId, restores } = list;
  let { next: resolved, outage } = resolving ?? { next: 0 };
  const show = (more: Partial<ListStatus> = {}): void =>
    context.df.setCustomStatus({
      ...{ phase: "resolving", restores, resolved, mailboxes: 0, places: 0, ...more },
    } satisfies ListStatus);

  for (let calls = 0; calls < CALLS_PER_GENERATION; calls += 1) {
    show();
    const answer =
      resolved < restores
        ? yield* call(context, resolveRestores, { listId, from: resolved })
        : yield* call(context, arrangeRestores, { listId });
    if (isAway(answer)) {
      const wait = nextWait(context, outage, answer.awayMs);
      outage = wait.outage;
      show({ waitingUntil: momentIn(context, wait.waitMs) });
      yield* pause(context, wait.waitMs);
      continue;
    }
    outage = undefined;
    if ("mailboxes" in answer) return { ...list, mailboxes: answer.mailboxes };
    if ("refused" in answer) {
      show({ phase: "refused", result: answer });
      throw new Error(refusalText(restores, answer));
    }
    resolved = answer.next;
  }
  return { ...list, resolving: { next: resolved, ...(outage !== undefined && { outage }) } };
}

const refusalText = (restores: number, { count }: Refusal): string =>
  `list-refused: nothing was started, since ${count} of ${restores} restores cannot start: correct or leave them out`;
