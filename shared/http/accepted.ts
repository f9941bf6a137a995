import type { HttpResponseInit } from "@azure/functions";
import { json } from "./problem.ts";

/**
 * 202 with the job's id and location. The library's own check-status response is not used: its URLs contain the key of
 * the durable extension.
 */
export const accepted = (job: string, more: Readonly<Record<string, unknown>> = {}): HttpResponseInit => {
  const location = `/api/jobs/${job}`;
  return json(202, { job, location, ...more }, { location });
};
