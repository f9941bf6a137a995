import { clientOf } from "../../shared/durable/client.ts";
import type { Feature } from "../register.ts";
import { getJob, type ProgressReaders } from "./get-job.http.ts";
import { steerJob } from "./steer-job.http.ts";
import { cancelJob, pauseJob, resumeJob } from "./steer-job.ts";

/** `progress` comes from the features whose jobs have parts, so that jobs need not know them. */
export const jobsFunctions =
  (progress: ProgressReaders): Feature =>
  (register) => {
    register.http("get-job", getJob({ clientOf, progress }));
    register.http("pause-job", steerJob({ clientOf, steer: pauseJob }));
    register.http("resume-job", steerJob({ clientOf, steer: resumeJob }));
    register.http("cancel-job", steerJob({ clientOf, steer: cancelJob }));
  };
