import { describe, expect, test } from "vitest";
import { anEmulator, idsOf, UPN } from "./kit.ts";

const BO = "bo.chen@contoso.example";
const mailboxes = [UPN, BO].map((userPrincipalName) => ({ kind: "generated", userPrincipalName, items: 40 }) as const);

const FORMATS = ["entryId", "ewsId", "immutableEntryId", "restId", "restImmutableEntryId"] as const;
type Format = (typeof FORMATS)[number];

type Options = Omit<NonNullable<Parameters<typeof anEmulator>[0]>, "mailboxes">;

/** An emulator, and id translation as the app asks for it. */
const aTranslation = async (options: Options = {}) => {
  const kit = await anEmulator({ ...options, mailboxes });
  const listed = await kit.ask(`${kit.base}/folders/inbox/items?$top=5`);
  const post = (body: unknown, { user = UPN, version = "v1.0", token = "emulator-token" } = {}) =>
    kit.ask(`/${version}/users/${user}/translateExchangeIds`, { body, token });
  const results = async (inputIds: readonly string[], sourceIdType: Format, targetIdType: Format, user = UPN) => {
    const { status, body } = await post({ inputIds, sourceIdType, targetIdType }, { user });
    expect(status).toBe(200);
    return inputIds.map((id) => body.value?.find(({ sourceId }) => sourceId === id));
  };
  const translated = async (...asked: Parameters<typeof results>) =>
    (await results(...asked)).map((result) => String(result?.["targetId"]));
  return { ...kit, ids: idsOf(listed.body.value ?? []), post, results, translated };
};

const NOT_FOUND = { errorDetails: expect.objectContaining({ code: "NotFound" }) };

describe("translateExchangeIds", () => {
  test.each(FORMATS.flatMap((from) => FORMATS.filter((to) => to !== from).map((to) => [from, to] as const)))(
    "translates %s to %s and back",
    async (from, to) => {
      const { ids, translated } = await aTranslation();
      const sources = from === "restId" ? ids : await translated(ids, "restId", from);
      const targets = await translated(sources, from, to);

      expect(new Set([...sources, ...targets]).size).toBe(10);
      expect(await translated(targets, to, from)).toEqual(sources);
    },
  );

  test("has no targetId in a failure, and no errorDetails in a success", async () => {
    const { ids, results } = await aTranslation();
    const [success, failure] = await results([ids[0] ?? "", "AAAA"], "restId", "ewsId");

    expect(Object.keys(success ?? {}).toSorted()).toEqual(["sourceId", "targetId"]);
    expect(Object.keys(failure ?? {}).toSorted()).toEqual(["errorDetails", "sourceId"]);
  });

  test("takes 1,000 ids, and refuses 1,001", async () => {
    const { post } = await aTranslation();
    const ask = (count: number) =>
      post({
        inputIds: Array.from({ length: count }, (_, n) => `id${n}`),
        sourceIdType: "restId",
        targetIdType: "ewsId",
      });

    expect([(await ask(1_000)).status, (await ask(1_001)).status]).toEqual([200, 400]);
  });

  test.each([{}, { inputIds: [], sourceIdType: "hexId", targetIdType: "restId" }, { inputIds: "a" }])(
    "refuses %j",
    async (body) => {
      const { post } = await aTranslation();
      expect((await post(body)).status).toBe(400);
    },
  );

  test("has the binary form of 70 bytes for an item's entry id, and one of 46 for a folder's", async () => {
    const { ids, translated, folderId } = await aTranslation();
    const [item = "", folder = ""] = await translated([ids[0] ?? "", await folderId()], "restId", "entryId");

    expect([item.length, item.slice(0, 5), item.at(-1)]).toEqual([95, "AAAAA", "2"]);
    expect([folder.length, folder.slice(0, 5), folder.at(-1)]).toEqual([63, "AAAAA", "2"]);
  });

  test("says of plain base64 as an entry id that rawBytes is null, in both fields", async () => {
    const { ids, translated, results } = await aTranslation();
    const [entryId = ""] = await translated([ids[0] ?? ""], "restId", "entryId");
    const plain = Buffer.from(entryId.slice(0, -1), "base64url").toString("base64");

    const text = "Value cannot be null.\r\nParameter name: rawBytes";
    expect(await results([plain], "entryId", "restId")).toMatchObject([
      { errorDetails: { code: text, message: text } },
    ]);
  });

  test.each(FORMATS)("finds no %s of another mailbox", async (from) => {
    const { ids, translated, results } = await aTranslation();
    const sources = from === "restId" ? ids : await translated(ids, "restId", from);
    const to = from === "ewsId" ? "restId" : "ewsId";

    expect(await results(sources, from, to, BO)).toMatchObject(sources.map(() => NOT_FOUND));
  });

  test("has no immutable id for a folder", async () => {
    const { folderId, results, translated } = await aTranslation();
    const inbox = await folderId();
    const [ewsId = ""] = await translated([inbox], "restId", "ewsId");

    expect(await translated([ewsId], "ewsId", "restId")).toEqual([inbox]);
    expect(await results([inbox], "restId", "restImmutableEntryId")).toMatchObject([NOT_FOUND]);
    expect(await results([inbox], "restId", "immutableEntryId")).toMatchObject([NOT_FOUND]);
  });

  test("may have an entry id and no immutable id for an old item", async () => {
    const behaviours = { immutableIdsSince: "2100-01-01T00:00:00Z" };
    const { ids, results } = await aTranslation({ settings: { behaviours } });
    const [id = ""] = ids;

    expect(await results([id], "restId", "immutableEntryId")).toMatchObject([NOT_FOUND]);
    expect(await results([id], "restId", "entryId")).toMatchObject([{ targetId: expect.any(String) }]);
  });

  test("keeps an item's immutable ids when it moves, and changes all others", async () => {
    const { ids, emulator, mailbox, translated, results } = await aTranslation();
    const [before = ""] = ids;
    const idsOfItem = async (id: string) =>
      Promise.all(
        (["entryId", "ewsId", "immutableEntryId", "restImmutableEntryId"] as const).map(
          async (format) => (await translated([id], "restId", format))[0],
        ),
      );
    const [entry, ews, immutable, restImmutable] = await idsOfItem(before);
    const { id: after } = await emulator.admin["move-item"]({ mailbox, item: before, folder: "sentitems" });
    const [entryAfter, ewsAfter, ...immutableAfter] = await idsOfItem(after);

    expect([entryAfter === entry, ewsAfter === ews]).toEqual([false, false]);
    expect(immutableAfter).toEqual([immutable, restImmutable]);
    expect(await results([before], "restId", "ewsId")).toMatchObject([NOT_FOUND]);
  });

  test("keeps no order unless it is told to", async () => {
    const { ids, post, emulator } = await aTranslation();
    const order = async () => {
      const { body } = await post({ inputIds: ids, sourceIdType: "restId", targetIdType: "ewsId" });
      return body.value?.map(({ sourceId }) => sourceId);
    };

    expect(await order()).not.toEqual(ids);
    await emulator.admin.settings({ behaviours: { translationsShuffled: false } });
    expect(await order()).toEqual(ids);
  });
});

describe("who may translate ids", () => {
  const anApp = (token: string, roles: string[], delegated?: boolean) => ({
    appId: token,
    token,
    roles,
    ...(delegated && { delegated }),
  });
  const apps = [
    anApp("emulator-token", ["User.Read.All", "MailboxItem.Read.All", "MailboxFolder.Read.All"]),
    anApp("basic-app", ["User.ReadBasic.All"]),
    anApp("basic-user", ["User.ReadBasic.All"], true),
  ];
  const body = { inputIds: [], sourceIdType: "restId", targetIdType: "ewsId" };

  test.each([
    ["emulator-token", true, 200],
    ["emulator-token", false, 403],
    ["basic-app", true, 403],
    ["basic-user", false, 200],
  ])(
    "is, with the token of %s where apps by themselves may: %s, answered %i",
    async (token, translateAppOnly, status) => {
      const { post } = await aTranslation({ apps, settings: { behaviours: { translateAppOnly } } });
      expect((await post(body, { token })).status).toBe(status);
    },
  );

  test("is asked in both versions, of a user who has a mailbox, and not below /me", async () => {
    const { post, ask, emulator } = await aTranslation();
    await emulator.admin["add-user"]({ userPrincipalName: "no.mailbox@contoso.example" });

    expect((await post(body, { version: "beta" })).status).toBe(200);
    expect((await post(body, { user: "nobody@contoso.example" })).status).toBe(404);
    expect((await post(body, { user: "no.mailbox@contoso.example" })).status).toBe(404);
    expect((await ask("/v1.0/me/translateExchangeIds", { body })).status).toBe(400);
  });
});
