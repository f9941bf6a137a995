import { describe, expect, test } from "vitest";
import type { TranslateExchangeIdsInput } from "../../../functions/id-translation/id-translation.contract.ts";
import { translateIdsOfMailbox } from "../../../functions/id-translation/translate-exchange-ids.orchestrator.ts";
import { WAKE } from "../../../shared/durable/waits.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { runOrchestrator, runToEnd } from "../../support/run-orchestrator.ts";
import { aTranslationId } from "./a-translation.ts";

const anInput = (overrides: Partial<TranslateExchangeIdsInput> = {}): TranslateExchangeIdsInput => ({
  translationId: aTranslationId,
  mailbox: { key: aKey, id: "MBX:1@2", kind: "primary", userId: "user-1" },
  from: "entryId",
  to: "restId",
  ids: 3_500,
  pieces: 4,
  ...overrides,
});

const NONE = { throttled: 0, waitMs: 0 };

/** An activity that does some pieces in its time. */
const doing =
  (atOnce: number, more: object = {}) =>
  ({ piece, pieces }: { piece: number; pieces: number }) => {
    const next = Math.min(pieces, piece + atOnce);
    return { next, translated: (next - piece) * 900, failed: 2, ...NONE, ...more };
  };

describe("translate-exchange-ids", () => {
  test("goes on from the end of each activity, until all pieces are done", async () => {
    const run = await runOrchestrator(translateIdsOfMailbox, {
      input: anInput(),
      activities: { "translate-ids": doing(3) },
    });

    const { ids: _, ...translation } = anInput();
    expect(run.calls).toEqual([
      { name: "translate-ids", input: { ...translation, piece: 0 } },
      { name: "translate-ids", input: { ...translation, piece: 3 } },
    ]);
    expect(run.output).toEqual({ ids: 3_500, pieces: 4, translated: 3_600, failed: 4, throttled: 0 });
    expect(run.customStatuses).toEqual([
      { phase: "translating", ids: 3_500, translated: 0, failed: 0, throttled: 0 },
      { phase: "translating", ids: 3_500, translated: 2_700, failed: 2, throttled: 0 },
      { phase: "done", ids: 3_500, translated: 3_600, failed: 4, throttled: 0 },
    ]);
  });

  test("waits as long as Graph asks", async () => {
    let refused = false;
    const onceRefused = (input: { piece: number; pieces: number }) => {
      const answer = doing(4)(input);
      if (refused) return answer;
      refused = true;
      return { next: 0, translated: 0, failed: 0, throttled: 1, waitMs: 120_000 };
    };
    // What wakes it meanwhile is no reason to ask sooner.
    const run = await runToEnd(translateIdsOfMailbox, {
      input: anInput(),
      activities: { "translate-ids": onceRefused },
      events: [{ name: WAKE, afterMs: 30_000 }],
    });

    expect(run.ended.getTime()).toBe(Date.parse("2026-11-22T01:02:01Z"));
    expect(run.output).toMatchObject({ throttled: 1, translated: 3_600 });
  });

  test("goes on in a new generation after twenty activities, with counts and a position", async () => {
    const input = anInput({ ids: 1_000_000, pieces: 1_000 });
    const run = await runOrchestrator(translateIdsOfMailbox, { input, activities: { "translate-ids": doing(1) } });

    expect(run.calls).toHaveLength(20);
    expect(run.continuedAs).toEqual({
      ...input,
      resume: { piece: 20, totals: { translated: 18_000, failed: 40, throttled: 0 } },
    });
  });

  test("ends in the generation that does the last piece", async () => {
    const totals = { translated: 10, failed: 0, throttled: 1 };
    const run = await runOrchestrator(translateIdsOfMailbox, {
      input: anInput({ resume: { piece: 3, totals } }),
      activities: { "translate-ids": doing(3) },
    });

    expect(run.output).toEqual({ ids: 3_500, pieces: 4, translated: 910, failed: 2, throttled: 1 });
  });

  test.each([
    ["permission", /User\.Read\.All.*ID_TRANSLATION/],
    ["user", /does not have the mailbox's user/],
  ])("fails, and says what to do, when Graph refuses for lack of a %s", async (refused, reason) => {
    const run = runOrchestrator(translateIdsOfMailbox, {
      input: anInput(),
      activities: { "translate-ids": doing(0, { refused }) },
    });

    await expect(run).rejects.toThrow(reason);
  });
});
