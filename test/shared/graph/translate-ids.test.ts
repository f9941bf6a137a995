import { describe, expect, test } from "vitest";
import { ExchangeIdFormat } from "../../../shared/contracts/id-formats.ts";
import {
  type Translation,
  TranslationRefusedError,
  translateExchangeIds,
} from "../../../shared/graph/translate-ids.ts";
import { aMailboxInGraph } from "../../functions/kit.ts";
import { aGraph } from "./a-graph.ts";

const REST_TO_EWS = { from: "restId", to: "ewsId" } as const;

const RAW_BYTES = "Value cannot be null.\r\nParameter name: rawBytes";

/** The outcomes of ids when Graph answers with these results. */
const answered = async (value: readonly unknown[], ids: readonly string[]) => {
  const { client, asked } = await aGraph([{ body: { value } }]);
  return { outcomes: await translateExchangeIds(client, "user-1", ids, REST_TO_EWS), asked };
};

describe("translateExchangeIds", () => {
  test("asks for the ids of a user by their formats", async () => {
    const { asked } = await answered([], ["a", "b"]);

    expect(asked[0]).toMatchObject({ method: "POST", url: "/v1.0/users/user-1/translateExchangeIds" });
    expect(JSON.parse(asked[0]?.body ?? "")).toEqual({
      inputIds: ["a", "b"],
      sourceIdType: "restId",
      targetIdType: "ewsId",
    });
  });

  test("finds each id's result by the id, in any order", async () => {
    const value = [
      { sourceId: "b", targetId: "B" },
      { sourceId: "a", targetId: "A" },
    ];

    expect((await answered(value, ["a", "b"])).outcomes).toEqual([{ translated: "A" }, { translated: "B" }]);
  });

  test("asks once for a repeated id", async () => {
    const { outcomes, asked } = await answered([{ sourceId: "a", targetId: "A" }], ["a", "a"]);

    expect(outcomes).toEqual([{ translated: "A" }, { translated: "A" }]);
    expect(JSON.parse(asked[0]?.body ?? "")).toMatchObject({ inputIds: ["a"] });
  });

  test("returns an error for an id that the answer leaves out", async () => {
    const { outcomes } = await answered([{ sourceId: "x", targetId: "X" }], ["a"]);
    expect(outcomes).toEqual([{ error: { message: "Graph's answer leaves out this id." } }]);
  });

  test.each([
    [{ code: "NotFound", message: "It is gone." }, "It is gone."],
    [{ code: RAW_BYTES, message: RAW_BYTES }, RAW_BYTES],
    [{ code: "NotFound" }, "NotFound"],
    [{ code: null, message: "" }, "Graph states no reason."],
    [null, "Graph states no reason."],
    [{ message: "x".repeat(9_000) }, "x".repeat(500)],
  ])("returns %j as a message alone", async (errorDetails, message) => {
    const { outcomes } = await answered([{ sourceId: "a", errorDetails }], ["a"]);
    expect(outcomes).toEqual([{ error: { message } }]);
  });

  test("sends nothing for no ids", async () => {
    expect((await answered([], [])).asked).toEqual([]);
  });

  test.each([
    [403, "ErrorAccessDenied", "permission"],
    [403, "Authorization_RequestDenied", "permission"],
    [404, "Request_ResourceNotFound", "user"],
    [404, "MailboxNotEnabledForRESTAPI", "user"],
  ])("is refused as a whole with %i %s: no %s", async (status, code, refusal) => {
    const { client } = await aGraph([{ status, body: { error: { code } } }]);
    const refused = translateExchangeIds(client, "u", ["a"], REST_TO_EWS).catch((error: unknown) => error);

    expect(await refused).toBeInstanceOf(TranslationRefusedError);
    expect(await refused).toMatchObject({ refusal });
  });

  test("throws any other error", async () => {
    const { client } = await aGraph([{ status: 400, body: { error: { code: "ErrorInvalidRequest" } } }]);
    await expect(translateExchangeIds(client, "u", ["a"], REST_TO_EWS)).rejects.toThrow(/400 ErrorInvalidRequest/);
  });
});

describe("2,500 ids of each pair of formats", () => {
  test("take three requests, and an id that fails fails alone", async () => {
    const { admin, mailbox, openGraph, items } = await aMailboxInGraph({ items: 2_499, bytes: { fixed: 1 } });
    const graph = openGraph({ untilMs: Date.now() + 600_000 });
    const restIds = (await items()).map(({ id }) => id);
    const translate = (ids: readonly string[], from: ExchangeIdFormat, to: ExchangeIdFormat) =>
      translateExchangeIds(graph, mailbox.userId, ids, { from, to });
    const requests = async () => (await admin.counters({})).requests["translate-ids"] ?? 0;

    /** The items' ids, and in the middle one of no item. */
    const byFormat = new Map<ExchangeIdFormat, string[]>();
    for (const format of ExchangeIdFormat.options) {
      const ids = format === "restId" ? restIds : (await translate(restIds, "restId", format)).map(textOf);
      byFormat.set(format, ids.toSpliced(1_500, 0, "AAAAAA=="));
    }
    for (const [from, ids] of byFormat)
      for (const [to, expected] of byFormat) {
        if (from === to) continue;
        const before = await requests();
        const outcomes = await translate(ids, from, to);

        expect((await requests()) - before).toBe(3);
        expect(outcomes[1_500]).toMatchObject({ error: { message: expect.any(String) } });
        expect(outcomes.toSpliced(1_500, 1).map(textOf)).toEqual(expected.toSpliced(1_500, 1));
      }
  });
});

const textOf = (outcome: Translation): string => ("translated" in outcome ? outcome.translated : "none");
