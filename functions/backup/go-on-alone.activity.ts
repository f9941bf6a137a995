import type { ActivityHandler } from "durable-functions";
import { backupInstance } from "../../shared/contracts/job-ids.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { startOnce } from "../../shared/durable/start-once.ts";
import { goOnAlone } from "./go-on-alone.contract.ts";

/**
 * Starts a mailbox's backup as a job of its own, which no other waits for. Run twice, one is started. One that was
 * started meanwhile by someone else goes on with the run as with one that died.
 */
export const goOnAloneActivity = (deps: { readonly clientOf: ClientOf }): ActivityHandler =>
  implement(goOnAlone, async ({ input }, context) => {
    await startOnce(deps.clientOf(context), "backup-mailbox", { instanceId: backupInstance(input.mailbox.key), input });
    return {};
  });
