import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";

/** The app's own HTTP API, as a person with curl would use it. */
export const Job = z.looseObject({
  id: z.string(),
  state: z.string(),
  progress: z.record(z.string(), z.unknown()).optional(),
  result: z.unknown().optional(),
  error: z.string().optional(),
});
export type Job = z.output<typeof Job>;

const Accepted = z.looseObject({ job: z.string() });
const Problem = z.looseObject({ title: z.string(), detail: z.string() });

/** Between two looks at a job: a tenth of the time that it has taken so far, within these. */
const POLL_MS = { min: 20, max: 250 };

export const vaultApi = (hostUrl: string, signedIn: Readonly<Record<string, string>> = {}) => {
  const request = (
    path: string,
    init: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array } = {},
  ) => fetch(new URL(path, hostUrl), { ...init, headers: { ...signedIn, ...init.headers } });
  const found = async (path: string): Promise<unknown> => {
    const response = await request(path);
    if (!response.ok) throw new Error(await reason(response));
    return response.json();
  };

  return {
    request,
    get: found,
    /** Starts a job and gives its id. @throws {Error} with the problem's detail. */
    start: async (path: string, body: unknown): Promise<string> => {
      const headers = { "content-type": "application/json" };
      const response = await request(path, { method: "POST", headers, body: JSON.stringify(body) });
      if (response.status !== 202) throw new Error(await reason(response));
      return Accepted.parse(await response.json()).job;
    },
    /** A job as it is now; `undefined` while it does not exist. */
    job: async (id: string): Promise<Job | undefined> => {
      const response = await request(`/api/jobs/${id}`);
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Error(await reason(response));
      return Job.parse(await response.json());
    },
    /** Looks at a job until it ends. @throws {Error} with its error when it does not end well. */
    async finish(id: string, look: (job: Job) => void | Promise<void> = () => undefined): Promise<Job> {
      const began = performance.now();
      for (;;) {
        const job = await this.job(id);
        if (job !== undefined) {
          await look(job);
          if (job.state === "completed") return job;
          if (job.state === "failed" || job.state === "cancelled")
            throw new Error(`${id} ended as ${job.state}: ${job.error ?? "no reason given"}`);
        }
        await delay(Math.min(POLL_MS.max, POLL_MS.min + (performance.now() - began) / 10));
      }
    },
  };
};
export type VaultApi = ReturnType<typeof vaultApi>;

const reason = async (response: Response): Promise<string> => {
  const text = await response.text();
  const parsed = Problem.safeParse(JSON.parse(text || "null"));
  return parsed.success ? parsed.data.detail : `${response.status} ${text}`;
};
