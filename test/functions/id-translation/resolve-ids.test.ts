import { HttpRequest } from "@azure/functions";
import { describe, expect, test } from "vitest";
import { resolveIds } from "../../../functions/id-translation/resolve-ids.ts";
import { appTranslator } from "../../../functions/id-translation/translator.ts";
import { ExchangeIdFormat } from "../../../shared/contracts/id-formats.ts";
import { noGraph } from "../browse/a-vault.ts";
import { aMailboxWithIds } from "./a-translation.ts";

const request = new HttpRequest({ method: "GET", url: "http://127.0.0.1/" });

const aKit = async (...options: Parameters<typeof aMailboxWithIds>) => {
  const kit = await aMailboxWithIds(...options);
  const resolve = (ids: readonly string[], format?: ExchangeIdFormat) =>
    resolveIds(kit.translator, request, kit.mailbox, { ids, format });
  return { ...kit, resolve };
};

/** Without Graph. */
const resolveHere = (ids: readonly string[], format?: ExchangeIdFormat) =>
  resolveIds(appTranslator(noGraph), request, { userId: "u" }, { ids, format });

describe("ids that name items of the vault", () => {
  test.each(ExchangeIdFormat.options)("are resolved from the named format %s", async (format) => {
    const { restIds, idsAs, resolve } = await aKit();
    expect(await resolve(await idsAs(format), format)).toEqual({ ids: restIds });
  });

  test("are resolved from REST, EWS and entry ids side by side without a format", async () => {
    const { restIds, idsAs, resolve, requests } = await aKit();
    const [ews, entry] = [await idsAs("ewsId"), await idsAs("entryId")];
    const mixed = restIds.map((id, n) => [id, ews[n], entry[n]][n % 3] ?? "");
    const before = await requests();

    expect(await resolve(mixed)).toEqual({ ids: restIds });
    expect((await requests()) - before).toBe(1);
  });

  test("are resolved without Graph from REST and EWS ids, so that items long gone are found", async () => {
    expect(await resolveHere(["AAMkAD/x+y==", "AAMkAD-x", "AAMk"])).toEqual({
      ids: ["AAMkAD-x_y==", "AAMkAD-x", "AAMk"],
    });
    expect(await resolveHere(["AAAA/w=="], "ewsId")).toEqual({ ids: ["AAAA-w=="] });
  });

  test("stay as they are when Graph does not know them any more", async () => {
    const { restIds, idsAs, resolve, admin, mailbox } = await aKit();
    const [gone = "", there = ""] = await idsAs("entryId");
    await admin["remove-item"]({ mailbox: mailbox.id, item: restIds[0] ?? "" });

    expect(await resolve([gone, there])).toEqual({ ids: [gone, restIds[1]] });
  });

  test("are refused with their positions when they have the shape of an immutable entry id", async () => {
    const { restIds, idsAs } = await aKit();
    const [immutable = ""] = await idsAs("immutableEntryId");

    expect(await resolveHere([restIds[0] ?? "", immutable])).toMatchObject({
      refusal: { status: 400, type: "/problems/id-format-unclear", positions: [1] },
    });
  });

  test.each([
    ["entryId", "AAAA+w=="],
    ["ewsId", "AAAA-w=="],
    ["restId", "AAAA/w=="],
    ["restImmutableEntryId", "AAAA-w2"],
  ] as const)("cannot be a %s with the shape of %s", async (format, id) => {
    expect(await resolveHere([id], format)).toMatchObject({
      refusal: { status: 400, type: "/problems/malformed-ids", positions: [0] },
    });
  });

  test("are refused, with what to do, when Graph lets no app translate", async () => {
    const { idsAs, resolve, admin } = await aKit();
    const entryIds = await idsAs("entryId");
    await admin.settings({ behaviours: { translateAppOnly: false } });

    expect(await resolve(entryIds)).toMatchObject({
      refusal: { status: 403, detail: expect.stringContaining("User.Read.All") },
    });
  });

  test("are not translated for a user who has left, but REST and EWS ids are resolved", async () => {
    const { idsAs, translator } = await aKit();
    const entryIds = await idsAs("entryId");
    const ofNobody = (ids: readonly string[]) => resolveIds(translator, request, { userId: "gone" }, { ids });

    expect(await ofNobody(entryIds)).toMatchObject({
      refusal: { status: 404, detail: expect.stringContaining("REST or EWS id") },
    });
    expect(await ofNobody(["AAAA/w=="])).toEqual({ ids: ["AAAA-w=="] });
  });
});
