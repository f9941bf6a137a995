import { clientOf } from "../../shared/durable/client.ts";
import type { Feature } from "../register.ts";
import type { Services } from "../services.ts";
import { claimPartActivity } from "./claim-part.activity.ts";
import { claimPart } from "./claim-part.contract.ts";
import { closeJobActivity } from "./close-job.activity.ts";
import { closeJob } from "./close-job.contract.ts";
import { controlJob, type Restarts } from "./control-job.http.ts";
import { getJob } from "./get-job.http.ts";
import type { ProgressReaders } from "./progress.ts";
import { readWishActivity } from "./read-wish.activity.ts";
import { WATCH_SCHEDULE, watchJobs } from "./watch-jobs.timer.ts";
import { readWish } from "./wish.contract.ts";

/** What the features know of their jobs, so that this one need not know them. */
export interface KindsOfJobs {
  readonly progress: ProgressReaders;
  readonly restarts: Restarts;
}

export const jobsFunctions =
  (kinds: (services: Services) => KindsOfJobs): Feature =>
  (register, services) => {
    const { state } = services.backup;
    const { progress, restarts } = kinds(services);
    const control = { clientOf, state, progress, restarts };
    register.http("get-job", getJob({ clientOf, state, progress }));
    register.http("pause-job", controlJob({ ...control, order: "pause" }));
    register.http("resume-job", controlJob({ ...control, order: "resume" }));
    register.http("cancel-job", controlJob({ ...control, order: "cancel" }));
    register.activity(readWish, readWishActivity({ state }));
    register.activityWithHub(claimPart, claimPartActivity({ clientOf, state }));
    register.activity(closeJob, closeJobActivity({ state }));
    register.timer("watch-jobs", WATCH_SCHEDULE, watchJobs({ clientOf, state }));
  };
