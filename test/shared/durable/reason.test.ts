import { expect, test } from "vitest";
import * as z from "zod";
import { reasonOf } from "../../../shared/durable/reason.ts";

const zodError = z.object({ items: z.array(z.string()), of: z.string() }).safeParse({ items: ["a", 1] }).error;
const ISSUES =
  "items: 1: Invalid input: expected string, received number; of: Invalid input: expected string, received undefined";

const STACKS = [
  "   at Microsoft.Azure.WebJobs.Script.Description.WorkerFunctionInvoker.InvokeCore(Object[] parameters)",
  "   at System.Threading.Tasks.Task.Execute()",
].join("\n");

test.each<[string, unknown, string]>([
  ["an error", new Error("The plan is gone"), "The plan is gone"],
  ["a text", "Graph answered 403", "Graph answered 403"],
  [
    "what the host adds below",
    `Activity function 'plan-restore' failed: Gone\n${STACKS}`,
    "Activity function 'plan-restore' failed: Gone",
  ],
  ["lines that say nothing before it", `\n[\n  {\n${"The plan is gone"}\n${STACKS}`, "The plan is gone"],
  ["a ZodError", zodError, ISSUES],
  [
    "a ZodError below what failed",
    `Activity 'a' failed: ${zodError?.message}\n${STACKS}`,
    `Activity 'a' failed: ${ISSUES}`,
  ],
  ["a list that breaks off", `Failed: [\n  {\n    "path"`, "Failed: ["],
  ["nothing", undefined, "undefined"],
  ["an empty text", "", ""],
])("of %s, the reason is one line", (_, error, reason) => {
  expect(reasonOf(error)).toBe(reason);
});

test("a reason is cut", () => {
  expect(reasonOf("x".repeat(1_000))).toHaveLength(300);
});
