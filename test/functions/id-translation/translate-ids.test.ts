import { describe, expect, test } from "vitest";
import type * as z from "zod";
import { translateIds } from "../../../functions/id-translation/id-translation.contract.ts";
import { translateIdsActivity } from "../../../functions/id-translation/translate-ids.activity.ts";
import { findResults, resultPieces } from "../../../functions/id-translation/translation-state.ts";
import { piecesOf } from "../../../shared/uploads/pieces.ts";
import { deliver } from "../kit.ts";
import { aMailboxWithIds, aTranslationId } from "./a-translation.ts";

type Kit = Awaited<ReturnType<typeof aMailboxWithIds>>;

/** Ids of a job, in pieces as they were sent, and the activity that translates them. */
const aJob = async (
  idsOf: (restIds: readonly string[]) => readonly (readonly string[])[],
  options: Parameters<typeof aMailboxWithIds>[1] = {},
) => {
  const kit = await aMailboxWithIds({}, options);
  const pieces = idsOf(kit.restIds);
  const lines = pieces.map(({ length }) => length);
  const sent = piecesOf(kit.work, `translate-${aTranslationId}`);
  for (const [piece, ids] of pieces.entries()) await sent.keep(piece, Buffer.from(ids.join("\n")), ids.length);
  await sent.start({}, lines);
  const translate = (
    overrides: Partial<z.input<typeof translateIds.input>> = {},
    { laneBudgetMs = 600_000, ...deps }: Partial<Parameters<typeof translateIdsActivity>[0]> = {},
  ) =>
    deliver(translateIdsActivity({ ...kit, laneBudgetMs, ...deps }), translateIds, {
      translationId: aTranslationId,
      mailbox: kit.mailbox,
      from: "restId",
      to: "ewsId",
      pieces: resultPieces(lines),
      piece: 0,
      ...overrides,
    });
  const results = (piece: number) => findResults(kit.work, aTranslationId, piece);
  return { ...kit, translate, results };
};

const ews = (id: string): string => id.replaceAll("-", "/").replaceAll("_", "+");

const translated = (id: string) => ({ id, translated: ews(id) });

const NONE = { throttled: 0, waitMs: 0 };

describe("translate-ids", () => {
  test("translates piece after piece, with one request each, and keeps failures among the results", async () => {
    const { translate, results, requests, restIds } = await aJob((ids) => [ids.slice(0, 3), ["AAAA", ids[3] ?? ""]]);

    expect(await translate()).toEqual({ next: 2, translated: 4, failed: 1, ...NONE });
    expect(await requests()).toBe(2);
    expect(await results(0)).toEqual(restIds.slice(0, 3).map(translated));
    expect(await results(1)).toEqual([
      { id: "AAAA", error: { message: "The specified object was not found in the store." } },
      translated(restIds[3] ?? ""),
    ]);
  });

  test("makes a request for each 1,000 ids of a piece that was sent, and keeps their order", async () => {
    const some = (ids: readonly string[], count: number) => Array.from({ length: count }, (_, n) => ids[n % 6] ?? "");
    const { translate, results, requests, restIds } = await aJob((ids) => [some(ids, 1_002), [ids[5] ?? ""]]);

    expect(await translate()).toEqual({ next: 3, translated: 1_003, failed: 0, ...NONE });
    expect(await requests()).toBe(3);
    expect(await results(0)).toHaveLength(1_000);
    expect(await results(1)).toEqual([4, 5].map((n) => translated(restIds[n] ?? "")));
    expect(await results(2)).toEqual([translated(restIds[5] ?? "")]);
  });

  test("delivered again, it makes no request for finished pieces, and returns the same", async () => {
    const { translate, requests, work } = await aJob((ids) => [ids.slice(0, 3), ids.slice(3)]);
    const first = await translate();
    const blobs = new Map([...work.blobs].map(([name, { body }]) => [name, body.toString()]));

    expect(await translate()).toEqual(first);
    expect(await requests()).toBe(2);
    expect(new Map([...work.blobs].map(([name, { body }]) => [name, body.toString()]))).toEqual(blobs);
  });

  test("delivered again after it was killed, it goes on from the last finished piece", async () => {
    const { translate, results, requests, work, restIds } = await aJob((ids) => [ids.slice(0, 3), ids.slice(3)]);
    const create: Kit["work"]["create"] = (name, ...rest) =>
      name.includes("results/p000001") ? Promise.reject(new Error("killed")) : work.create(name, ...rest);
    await expect(translate({}, { work: { ...work, create } })).rejects.toThrow("killed");

    expect(await translate()).toEqual({ next: 2, translated: 6, failed: 0, ...NONE });
    expect(await results(1)).toEqual(restIds.slice(3).map(translated));
    expect(await requests()).toBe(3);
  });

  test("does one piece when there is no time, and returns the next one", async () => {
    const { translate } = await aJob((ids) => [ids.slice(0, 3), ids.slice(3)]);

    expect(await translate({}, { laneBudgetMs: 0 })).toMatchObject({ next: 1, translated: 3 });
    expect(await translate({ piece: 1 }, { laneBudgetMs: 0 })).toMatchObject({ next: 2, translated: 3 });
  });

  test("returns a wait that is longer than its time", async () => {
    const { translate, fault } = await aJob((ids) => [ids.slice(0, 3), ids.slice(3)]);
    const refusal = { code: "ApplicationThrottled", message: "Later.", retryAfter: "120" };
    await fault({ kind: "status", endpoint: "translate-ids", status: 429, ...refusal });

    expect(await translate({}, { laneBudgetMs: 5_000 })).toEqual({
      next: 0,
      translated: 0,
      failed: 0,
      throttled: 1,
      waitMs: 120_000,
    });
  });

  test("returns that Graph lets no app translate ids, without trying again", async () => {
    const behaviours = { translateAppOnly: false };
    const { translate, requests } = await aJob((ids) => [ids], { settings: { behaviours } });

    expect(await translate()).toMatchObject({ next: 0, refused: "permission" });
    expect(await requests()).toBe(1);
  });

  test("returns that the directory has no such user", async () => {
    const { translate, mailbox } = await aJob((ids) => [ids]);
    expect(await translate({ mailbox: { ...mailbox, userId: "gone" } })).toMatchObject({ next: 0, refused: "user" });
  });

  test("fails when what was sent is gone", async () => {
    const { translate, work } = await aJob((ids) => [ids]);
    work.blobs.delete(`translate-${aTranslationId}/pieces/p000000.txt`);

    await expect(translate()).rejects.toThrow("it was never made, or has expired");
  });

  test("throws errors that it does not know", async () => {
    const { translate, fault } = await aJob((ids) => [ids]);
    await fault({ kind: "status", endpoint: "translate-ids", status: 400, code: "New", message: "New." });

    await expect(translate()).rejects.toThrow(/400 New/);
  });
});
