import { clientOf } from "../../shared/durable/client.ts";
import type { Feature } from "../register.ts";
import { controlJob } from "./control-job.http.ts";
import { cancelJob, pauseJob, resumeJob } from "./control-job.ts";
import { getJob, type ProgressReaders } from "./get-job.http.ts";

/** `progress` comes from the features whose jobs have parts, so that this one need not know them. */
export const jobsFunctions =
  (progress: ProgressReaders): Feature =>
  (register) => {
    register.http("get-job", getJob({ clientOf, progress }));
    register.http("pause-job", controlJob({ clientOf, operate: pauseJob }));
    register.http("resume-job", controlJob({ clientOf, operate: resumeJob }));
    register.http("cancel-job", controlJob({ clientOf, operate: cancelJob }));
  };
