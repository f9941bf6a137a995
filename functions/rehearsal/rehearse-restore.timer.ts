import type { TimerHandler } from "@azure/functions";
import { rehearsalInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { startUnlessKnown } from "../../shared/durable/start-once.ts";
import type { RehearseRestoreInput } from "./rehearsal.contract.ts";

/** Starts the day's restore rehearsal, once however often it ticks; never without a mailbox for rehearsals. */
export const rehearseRestore =
  (deps: { readonly clientOf: ClientOf; readonly mailbox: string | undefined }): TimerHandler =>
  async (_timer, context) => {
    if (deps.mailbox === undefined) return context.debug("REHEARSAL_MAILBOX is not set: nothing is rehearsed.");
    const date = new Date().toISOString().slice(0, 10);
    const input: RehearseRestoreInput = { date };
    await startUnlessKnown(deps.clientOf(context), "run-rehearsal", { instanceId: rehearsalInstance(date), input });
  };
