import { describe, expect, test } from "vitest";
import { timeRequests } from "../../../../functions/restore/plan/time-requests.ts";
import type { GraphClient } from "../../../../shared/graph/graph-client.ts";

const mailbox = { id: "MBX:1", kind: "primary" } as const;

/** A mailbox with slow answers, measured by a clock of its own. */
const aSlowMailbox = (...times: readonly number[]) => {
  const targets: string[] = [];
  let ms = 1_000;
  const graph: GraphClient = {
    endpoint: "http://graph.test",
    endingAt: () => graph,
    json: async ({ target }, schema) => {
      ms += times[targets.length] ?? Number.NaN;
      targets.push(target);
      return schema.parse({});
    },
    answer: () => Promise.reject(new Error("No headers are needed here")),
    stream: () => Promise.reject(new Error("Nothing is streamed here")),
  };
  return { graph, targets, now: () => ms };
};

describe("the estimated time of a request", () => {
  test("is the median of three small ones", async () => {
    const { graph, targets, now } = aSlowMailbox(2_900, 740, 731.4);

    expect(await timeRequests(graph, mailbox, now)).toBe(0.74);
    expect(targets).toHaveLength(3);
    expect(targets.every((target) => target.endsWith("/folders?$top=1"))).toBe(true);
  });

  test("is at least the time assumed of an import", async () => {
    const { graph, now } = aSlowMailbox(8, 3, 4);

    expect(await timeRequests(graph, mailbox, now)).toBe(0.2);
  });
});
