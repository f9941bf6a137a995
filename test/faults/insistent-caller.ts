import { setTimeout as delay } from "node:timers/promises";
import * as z from "zod";
import { Job } from "../../local/stack/api.ts";
import type { Stack } from "../../local/stack/stack.ts";

/** Calls of the app by somebody who asks until there is an answer: the host may be away, and so may its storage. */

const LOOK_MS = 250;

/** A job's state, as an order finds it. */
export const Steered = z.looseObject({ state: z.string() });

interface Asked {
  readonly body?: object;
  readonly key?: string;
  /** Answers to be had; any other below 500 is a fault of the app. */
  readonly expected: readonly number[];
}

/** POSTs until one of the expected answers comes. */
export const ask = async ({ hostUrl }: Stack, path: string, { body, key, expected }: Asked): Promise<Response> => {
  const headers = {
    "content-type": "application/json",
    ...(key === undefined ? {} : { "idempotency-key": key }),
  };
  return insist(path, expected, () =>
    fetch(new URL(path, hostUrl), {
      method: "POST",
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
};

export const answerOf = async <S extends z.ZodType>(
  { hostUrl }: Stack,
  path: string,
  schema: S,
): Promise<z.output<S>> => {
  const answer = await insist(path, [200], () => fetch(new URL(path, hostUrl)));
  return schema.parse(await answer.json());
};

const insist = async (path: string, expected: readonly number[], call: () => Promise<Response>): Promise<Response> => {
  for (;;) {
    try {
      const answer = await call();
      // The whole answer, so that one which breaks off is asked for again.
      const text = await answer.text();
      if (expected.includes(answer.status)) return new Response(text, { status: answer.status });
      if (answer.status < 500) throw new Error(`${path} was answered ${answer.status}: ${text}`);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await delay(LOOK_MS);
  }
};

/** Waits for a job's end, whatever it is. */
export const endOf = async (stack: Stack, id: string): Promise<Job> => {
  for (;;) {
    const job = await answerOf(stack, `/api/jobs/${id}`, Job);
    if (["completed", "failed", "cancelled"].includes(job.state)) return job;
    await delay(LOOK_MS);
  }
};
