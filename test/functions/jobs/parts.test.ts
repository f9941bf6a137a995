import type { OrchestrationHandler } from "durable-functions";
import { expect, test } from "vitest";
import * as z from "zod";
import { tryPart } from "../../../functions/jobs/parts.steps.ts";
import { runOrchestrator } from "../../support/run-orchestrator.ts";

const parent: OrchestrationHandler = function* (context) {
  return yield* tryPart(context, { name: "part", output: z.string() }, { instanceId: "the-part", input: 1 });
};

const runWith = async (reason: string, failures: number, isClaimed = true) => {
  let begun = 0;
  const closed: string[] = [];
  const part = () => {
    begun += 1;
    if (begun <= failures) throw new Error(reason);
    return "done";
  };
  const { output } = await runOrchestrator(parent, {
    input: null,
    orchestrators: { part },
    activities: {
      "claim-part": () => ({ isClaimed }),
      "close-job": ({ job }: { job: string }) => {
        closed.push(job);
        return {};
      },
    },
  });
  return { output, begun, closed };
};

test("a part that the infrastructure has lost is begun again, three times", async () => {
  expect(await runWith("node exited with code 137 (0x89)", 3)).toEqual({ output: "done", begun: 4, closed: [] });
  expect(await runWith("node exited with code 137 (0x89)", 9)).toMatchObject({
    output: { job: "the-part", reason: expect.stringContaining("exited with code 137") },
    begun: 4,
    closed: ["the-part"],
  });
});

test("a part that fails by itself has failed", async () => {
  expect(await runWith("no right to this mailbox", 1)).toMatchObject({ output: { job: "the-part" }, begun: 1 });
});

test("a part that was lost is left to who has begun it since", async () => {
  expect(await runWith("node exited with code 137 (0x89)", 3, false)).toMatchObject({
    output: { job: "the-part", reason: "It was lost, and somebody else has begun it since" },
    begun: 1,
  });
});
