import type { TokenCredential } from "@azure/identity";
import { describe, expect, test } from "vitest";
import { TranslateExchangeIdsInput } from "../../../functions/id-translation/id-translation.contract.ts";
import { startTranslation } from "../../../functions/id-translation/start-translation.http.ts";
import { findResults, idReader } from "../../../functions/id-translation/translation-state.ts";
import { callerTranslator } from "../../../functions/id-translation/translator.ts";
import { graph } from "../../../shared/graph/graph-client.ts";
import { guardOf } from "../../../shared/http/guard.ts";
import { principalOf } from "../../../shared/security/principal.ts";
import { moveHead } from "../../../shared/vault/snapshots.ts";
import { UPN } from "../../local/graph/kit.ts";
import { aFakeHub, ask, PROBLEM } from "../fake-hub.ts";
import { aMailboxWithIds } from "./a-translation.ts";

type Deps = Parameters<typeof startTranslation>[0];

const anApi = async (
  options: Parameters<typeof aMailboxWithIds>[1] = {},
  deps: (kit: Awaited<ReturnType<typeof aMailboxWithIds>>) => Partial<Deps> = () => ({}),
) => {
  const kit = await aMailboxWithIds({}, options);
  const hub = aFakeHub();
  const handler = guardOf(principalOf("none"))(["Vault.Reader"], startTranslation({ ...kit, ...hub, ...deps(kit) }));
  const post = (body: unknown, headers: Record<string, string> = {}) => ask(handler, { method: "POST", body, headers });
  return { ...kit, ...hub, post };
};

const FORMATS = { from: "restId", to: "ewsId" } as const;

const ews = (id: string): string => id.replaceAll("-", "/").replaceAll("_", "+");

/** Texts that have the shape of REST ids. */
const shaped = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => Buffer.from(`item ${n}`.padEnd(12)).toString("base64url"));

describe("POST /api/ids/translate", () => {
  test("answers with a result for each id in the order of the request, failures too", async () => {
    const { post, restIds, foreignId } = await anApi();
    const [first = "", second = ""] = restIds;
    const foreign = await foreignId();

    const { status, body } = await post({ mailbox: UPN, ids: [second, foreign, first, second], ...FORMATS });

    expect([status, body]).toEqual([
      200,
      {
        results: [
          { id: second, translated: ews(second) },
          { id: foreign, error: { message: "The specified object was not found in the store." } },
          { id: first, translated: ews(first) },
          { id: second, translated: ews(second) },
        ],
      },
    ]);
  });

  test("answers 404 when all ids are of another mailbox, with Graph's message for each", async () => {
    const { post, foreignId } = await anApi();
    const foreign = await foreignId();

    expect(await post({ mailbox: UPN, ids: [foreign, foreign], ...FORMATS })).toMatchObject({
      status: 404,
      headers: PROBLEM,
      body: {
        title: "ids not found",
        results: [
          { id: foreign, error: {} },
          { id: foreign, error: {} },
        ],
      },
    });
  });

  test("takes its fields in any order, and the mailbox by its key", async () => {
    const { post, restIds, mailbox, vault } = await anApi();
    await moveHead(vault, mailbox.key, () => ({
      v: 1,
      mailboxKey: mailbox.key,
      mailboxId: mailbox.id,
      kind: "primary",
      user: { id: mailbox.userId },
      newest: null,
      checkedAt: "2026-11-22T01:00:00Z",
    }));

    expect((await post({ to: "ewsId", ids: restIds, from: "restId", mailbox: mailbox.key })).status).toBe(200);
  });

  test("answers 1,000 ids at once, and starts a job for 1,001", async () => {
    const { post, started, requests, restIds, work } = await anApi();
    const [known = ""] = restIds;

    expect((await post({ mailbox: UPN, ids: [known, ...shaped(999)], ...FORMATS })).status).toBe(200);
    expect([started, await requests(), work.writes]).toEqual([[], 1, []]);
    expect((await post({ mailbox: UPN, ids: shaped(1_001), ...FORMATS })).status).toBe(202);
    expect([started.length, await requests()]).toEqual([1, 1]);
  });

  test("keeps the ids of a job in scratch data", async () => {
    const { post, started, work, mailbox } = await anApi();
    const ids = [...shaped(1_500), ...shaped(2)];

    const { status, headers, body, text } = await post({ mailbox: UPN, ids, ...FORMATS });

    const [job] = started;
    const input = TranslateExchangeIdsInput.parse(job?.input);
    expect([status, headers["location"]]).toEqual([202, `/api/jobs/translate-${input.translationId}`]);
    expect(body).toMatchObject({ job: job?.instanceId, ids: 1_502, result: `/api/jobs/${job?.instanceId}/result` });
    expect(job).toMatchObject({
      name: "translate-exchange-ids",
      instanceId: `translate-${input.translationId}`,
      input: { mailbox, ...FORMATS, ids: 1_502, pieces: 2 },
    });
    const idsOf = await idReader(work, input.translationId);
    expect([...(await idsOf(0)), ...(await idsOf(1))]).toEqual(ids);
    expect(await findResults(work, input.translationId, 0)).toBeUndefined();
    expect(text + JSON.stringify(started)).not.toContain("@contoso.example");
  });

  test.each<[body: unknown, field: string]>([
    ["", "mailbox"],
    ["no JSON", "(body)"],
    ["[]", "(body)"],
    ['{"mailbox": "a"', "(body)"],
    ['{"mailbox": "a"} {}', "(body)"],
    [{ ids: ["AAAA"], ...FORMATS }, "mailbox"],
    [{ mailbox: "", ids: ["AAAA"], ...FORMATS }, "mailbox"],
    [{ mailbox: UPN, ...FORMATS }, "ids"],
    [{ mailbox: UPN, ids: [], ...FORMATS }, "ids"],
    [{ mailbox: UPN, ids: "AAAA", ...FORMATS }, "ids"],
    [{ mailbox: UPN, ids: ["AAAA", 7], ...FORMATS }, "ids.1"],
    [{ mailbox: UPN, ids: [""], ...FORMATS }, "ids.0"],
    [{ mailbox: UPN, ids: ["A".repeat(1_028)], ...FORMATS }, "ids.0"],
    [{ mailbox: UPN, ids: Array.from({ length: 100_001 }, () => "AAAA"), ...FORMATS }, "ids"],
    [{ mailbox: UPN, ids: ["AAAA"], from: "hexId", to: "ewsId" }, "from"],
    [{ mailbox: UPN, ids: ["AAAA"], from: "restId" }, "to"],
    [{ mailbox: UPN, ids: ["AAAA"], from: "restId", to: "restId" }, "to"],
    [{ mailbox: UPN, ids: ["AAAA"], ...FORMATS, format: "restId" }, "(body)"],
    [JSON.parse('{"__proto__": {"mailbox": "a"}}'), "mailbox"],
  ])("refuses %j and names the field %s", async (body, field) => {
    const { post, started } = await anApi();
    const answer = await post(body);

    expect(answer).toMatchObject({ status: 400, headers: PROBLEM, body: { type: "/problems/invalid-request" } });
    const { errors } = answer.body as { errors: { field: string }[] };
    expect(errors.map((error) => error.field)).toContain(field);
    expect(started).toEqual([]);
  });

  test("names ids that cannot be of their format by position, without a call to Graph", async () => {
    const { post, requests, restIds } = await anApi();
    const ids = ["AAAA+w==", ...restIds, "AAAA-w2"];

    expect(await post({ mailbox: UPN, ids, ...FORMATS })).toMatchObject({
      status: 400,
      headers: PROBLEM,
      body: { type: "/problems/malformed-ids", positions: [0, 7], count: 2 },
    });
    expect(await requests()).toBe(0);
  });

  test("has the first hundred positions of malformed ids, and their number", async () => {
    const { post, started } = await anApi();
    const { body } = await post({ mailbox: UPN, ids: Array.from({ length: 2_000 }, () => "no id"), ...FORMATS });

    expect(body).toMatchObject({ count: 2_000, positions: Array.from({ length: 100 }, (_, n) => n) });
    expect(started).toEqual([]);
  });

  test("answers 404 for a mailbox that does not exist", async () => {
    const { post } = await anApi();
    const answer = await post({ mailbox: "nobody@contoso.example", ids: ["AAAA"], ...FORMATS });

    expect(answer).toMatchObject({ status: 404, headers: PROBLEM, body: { type: "/problems/mailbox-not-found" } });
  });

  test("names the permission and the setting when Graph lets no app translate ids", async () => {
    const { post, restIds } = await anApi({ settings: { behaviours: { translateAppOnly: false } } });
    const answer = await post({ mailbox: UPN, ids: restIds, ...FORMATS });

    expect(answer).toMatchObject({ status: 403, headers: PROBLEM, body: { type: "/problems/translation-refused" } });
    expect(answer.text).toMatch(/User\.Read\.All.*ID_TRANSLATION to delegated/);
  });

  test("answers 503 with the time to wait while Graph does not answer", async () => {
    const { post, restIds, fault } = await anApi();
    await fault({
      kind: "status",
      endpoint: "translate-ids",
      status: 429,
      code: "ApplicationThrottled",
      message: "Later.",
      retryAfter: "120",
    });
    const answer = await post({ mailbox: UPN, ids: restIds, ...FORMATS });

    expect(answer).toMatchObject({ status: 503, headers: { ...PROBLEM, "retry-after": "120" } });
  });
});

describe("POST /api/ids/translate, in the caller's name", () => {
  const USER_TOKEN = "token-of-the-signed-in-user";
  const apps = [
    {
      appId: "app",
      token: "emulator-token",
      roles: ["User.Read.All", "MailboxFolder.Read.All", "MailboxItem.Read.All"],
    },
    { appId: "user", token: "graph-token-of-the-user", roles: ["User.ReadBasic.All"], delegated: true },
  ];

  /** Exchanges the token of the one user who signed in for a token for Graph; Entra refuses all others. */
  const credentialOf = (callerToken: string): TokenCredential => ({
    getToken: async () => {
      if (callerToken === USER_TOKEN)
        return { token: "graph-token-of-the-user", expiresOnTimestamp: Date.now() + 60_000 };
      throw Object.assign(new Error("invalid_grant: AADSTS65001: ada.berg@contoso.example has not consented"), {
        name: "AuthenticationRequiredError",
      });
    },
  });

  const delegated = () =>
    anApi({ apps, settings: { behaviours: { translateAppOnly: false } } }, ({ emulator }) => ({
      translator: callerTranslator({
        scope: "https://graph.microsoft.com/.default",
        credentialOf,
        graphAs: (credential) => graph({ endpoint: emulator.graphUrl, credential, userAgent: "test" }),
      }),
    }));

  const signedIn = (token: string) => ({ "x-ms-token-aad-access-token": token });

  test("translates when no app may by itself", async () => {
    const { post, emulator, restIds } = await delegated();
    const [id = ""] = restIds;

    expect(await post({ mailbox: UPN, ids: [id], ...FORMATS }, signedIn(USER_TOKEN))).toMatchObject({
      status: 200,
      body: { results: [{ id, translated: expect.any(String) }] },
    });
    expect((await emulator.admin.counters({})).answers).not.toHaveProperty("403");
  });

  test("says what is missing when the request has no token", async () => {
    const { post } = await delegated();

    expect(await post({ mailbox: UPN, ids: ["AAAA"], ...FORMATS })).toMatchObject({
      status: 401,
      headers: PROBLEM,
      body: { type: "/problems/caller-token-missing" },
    });
  });

  test("says what is missing when Entra refuses a token, with its code and without its message", async () => {
    const { post } = await delegated();
    const answer = await post({ mailbox: UPN, ids: ["AAAA"], ...FORMATS }, signedIn("another"));

    expect(answer).toMatchObject({
      status: 403,
      headers: PROBLEM,
      body: { type: "/problems/on-behalf-of-refused", code: "AADSTS65001" },
    });
    expect(answer.text).not.toContain("@contoso.example");
  });

  test("starts no job, since it would have to keep the token", async () => {
    const { post, started, work } = await delegated();
    const answer = await post({ mailbox: UPN, ids: shaped(1_001), ...FORMATS }, signedIn(USER_TOKEN));

    expect(answer).toMatchObject({ status: 400, headers: PROBLEM, body: { type: "/problems/too-many-ids" } });
    expect(started).toEqual([]);
    expect(JSON.stringify([...work.blobs])).not.toContain(USER_TOKEN);
  });
});
