import { describe, expect, test } from "vitest";
import { timeRequests } from "../../../../functions/restore/plan/time-requests.ts";
import type { GraphClient } from "../../../../shared/graph/graph-client.ts";

const mailbox = { id: "MBX:1", kind: "primary" } as const;

/** A mailbox whose answers take their time, by a clock of its own. */
const aSlowMailbox = (...times: readonly number[]) => {
  const asked: string[] = [];
  let ms = 1_000;
  const graph: GraphClient = {
    endpoint: "http://graph.test",
    json: async ({ target }, schema) => {
      ms += times[asked.length] ?? Number.NaN;
      asked.push(target);
      return schema.parse({});
    },
    answer: () => Promise.reject(new Error("Nobody looks at headers here")),
    stream: () => Promise.reject(new Error("Nobody streams here")),
  };
  return { graph, asked, now: () => ms };
};

describe("the time that a request takes", () => {
  test("is that of three small ones, but for one that was held up", async () => {
    const { graph, asked, now } = aSlowMailbox(2_900, 740, 731.4);

    expect(await timeRequests(graph, mailbox, now)).toBe(0.74);
    expect(asked).toHaveLength(3);
    expect(asked.every((target) => target.endsWith("/folders?$top=1"))).toBe(true);
  });

  test("is never taken for less than an import may take", async () => {
    const { graph, now } = aSlowMailbox(8, 3, 4);

    expect(await timeRequests(graph, mailbox, now)).toBe(0.2);
  });
});
