import type { ActivityHandler } from "durable-functions";
import { implement } from "../../shared/durable/activity.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { closeJob } from "./close-job.contract.ts";
import { closeJob as close } from "./open-jobs.ts";

/** Says that a job has failed by itself. Run twice, nothing happens. */
export const closeJobActivity = (deps: { readonly state: Blobs }): ActivityHandler =>
  implement(closeJob, async ({ job }) => {
    await close(deps.state, job);
    return {};
  });
