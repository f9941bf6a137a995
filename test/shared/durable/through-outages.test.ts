import { InvocationContext } from "@azure/functions";
import { expect, test } from "vitest";
import * as z from "zod";
import { defineActivity } from "../../../shared/durable/activity.ts";
import { orAway } from "../../../shared/durable/outages.ts";
import { implementThroughOutages } from "../../../shared/durable/through-outages.ts";
import { GraphError } from "../../../shared/graph/graph-error.ts";
import { SlotsLostError, WorkStoppedError } from "../../../shared/graph/stopped-work.ts";

const work = defineActivity({
  name: "work",
  input: z.object({}),
  output: orAway(z.object({ done: z.literal(true) })),
  retry: { firstIntervalMs: 1_000, attempts: 2, backoff: 2 },
});

const ended = (error: Error) => implementThroughOutages(work, () => Promise.reject(error))({}, new InvocationContext());

test.each<[string, Error, object]>([
  ["Graph that is away", new GraphError("GET user", { status: 503, retryAfterMs: 2_500 }), { awayMs: 2_500 }],
  ["slots that are lost", new SlotsLostError("The slots for GET folders are lost"), { awayMs: 0 }],
  ["an order to stop", new WorkStoppedError("The work was told to stop"), { told: true }],
])("work that ends by %s returns so, and costs no attempt", async (_, error, output) => {
  expect(await ended(error)).toEqual(output);
});

test("any other failure is thrown", async () => {
  await expect(ended(new Error("The plan is gone"))).rejects.toThrow("The plan is gone");
});
