import type { TimerHandler } from "@azure/functions";
import { tidyWorkInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { startOnce } from "../../shared/durable/start-once.ts";
import type { TidyWorkInput } from "./tidy.contract.ts";

/** When scratch data is tidied: apart from the night's backups, from retention and verification. Our own choice. */
export const TIDY_SCHEDULE = "0 0 14 * * *";

/** Starts tidying. A tick while the last one is still alive starts nothing. */
export const nightlyTidy =
  (deps: { readonly clientOf: ClientOf }): TimerHandler =>
  async (_timer, context) => {
    const input: TidyWorkInput = {};
    const options = { instanceId: tidyWorkInstance(), input };
    const outcome = await startOnce(deps.clientOf(context), "tidy-work", options);
    if (outcome === "already-running") context.warn("Scratch data is still being tidied: this tick starts nothing.");
  };
