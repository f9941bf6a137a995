import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import type { Notifier } from "./notifier.ts";
import { notify } from "./notify.contract.ts";

/** Posts a notice. Run twice, it is sent once at most. A webhook that refuses it fails nothing, but is logged. */
export const notifyActivity = (deps: { readonly notifier: Notifier }): ActivityHandler =>
  implement(notify, async (notice, context) => {
    const outcome = await deps.notifier(notice);
    if (outcome === "refused" || outcome === "unanswered")
      context.warn(`The webhook ${VERDICTS[outcome]} ${notice.id}`);
    return { outcome };
  });

const VERDICTS = { refused: "refused the notice", unanswered: "did not answer the notice" } as const;
