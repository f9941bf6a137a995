import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import type { Notifier } from "./notifier.ts";
import { notify } from "./notify.contract.ts";

/** Posts a notice. Run twice, it goes out once at most. A webhook that does not take it fails nothing: the log says so. */
export const notifyActivity = (deps: { readonly notifier: Notifier }): ActivityHandler =>
  implement(notify, async (notice, context) => {
    const outcome = await deps.notifier(notice);
    if (outcome === "refused" || outcome === "unanswered")
      context.warn(`The webhook ${VERDICTS[outcome]} ${notice.id}`);
    return { outcome };
  });

const VERDICTS = { refused: "refused the notice", unanswered: "did not answer to the notice" } as const;
