import { describe, expect, test } from "vitest";
import type { Translator } from "../../../../functions/id-translation/translator.ts";
import { findListCall, keepListCall } from "../../../../functions/restore/request/list-request-state.ts";
import { resolveRestores } from "../../../../functions/restore/request/resolve-list.contract.ts";
import { resolveRestoresActivity } from "../../../../functions/restore/request/resolve-restores.activity.ts";
import { findResolved } from "../../../../functions/restore/request/resolved-list-state.ts";
import type { ListEntry } from "../../../../functions/restore/request/restore-request.ts";
import { startRestore } from "../../../../functions/restore/request/start-restore.http.ts";
import { RestoreMailboxesInput } from "../../../../functions/restore/restore-list.contract.ts";
import { translateExchangeIds } from "../../../../shared/graph/translate-ids.ts";
import { UPN } from "../../../local/graph/kit.ts";
import { memoryAuditLog } from "../../../shared/audit/memory-audit-log.ts";
import { aFakeHub, ask } from "../../fake-hub.ts";
import { deliver, deliverWell } from "../../kit.ts";
import { aListId } from "../a-list.ts";
import { aRestore } from "../a-restore.ts";

const OPERATOR = "0a0a0a0a-1111-4222-8333-444444444444";
const idOf = (n: number): string => `20261122T0901${String(n).padStart(2, "0")}Z-abc234`;

/** A list of many restores of one mailbox, each into folders of its own name. */
const aList = async (restores: number) => {
  const kit = await aRestore({ items: 1 });
  const { openGraph, translator, vault, work } = kit;
  const common = { mailbox: UPN, select: { all: true }, target: "new-folder", onConflict: "skip" } as const;
  const spec: ListEntry = { ...common, priority: "normal" };
  const asked = Array.from({ length: restores }, (_, n) => ({ restoreId: idOf(n), spec }));
  const restoreIds = asked.map(({ restoreId }) => restoreId);
  const call = { at: new Date().toISOString(), principal: OPERATOR, roles: [], dryRun: false, reason: "a test" };
  await keepListCall(work, aListId, { ...call, restoreIds }, asked);
  const lookUp = (from: number, overrides: Partial<Parameters<typeof resolveRestoresActivity>[0]> = {}) =>
    deliver(
      resolveRestoresActivity({ openGraph, translator, vault, work, budgetMs: 60_000, ...overrides }),
      resolveRestores,
      { listId: aListId, from },
    );
  return { ...kit, lookUp };
};

describe("resolve-restores", () => {
  test("looks up fifty restores at most, and goes on behind them", async () => {
    const { lookUp, work } = await aList(60);

    expect([await lookUp(0), await lookUp(50)]).toEqual([{ next: 50 }, { next: 60 }]);
    const positions = (await findResolved(work, aListId, 50))?.startable.map(({ position }) => position);
    expect(positions).toEqual([50, 51, 52, 53, 54, 55, 56, 57, 58, 59]);
  });

  test("returns when its time is up, with what it looked up so far", async () => {
    const { lookUp } = await aList(20);

    expect([await lookUp(0, { budgetMs: 0 }), await lookUp(8)]).toEqual([{ next: 8 }, { next: 20 }]);
  });

  test("returns what the first of two deliveries found, even where the second has less time", async () => {
    const { lookUp, work } = await aList(20);
    const [first] = await Promise.all([lookUp(0), lookUp(0, { budgetMs: 0 })]);

    const kept = await findResolved(work, aListId, 0);
    expect(await lookUp(0, { budgetMs: 0 })).toEqual({ next: kept?.next });
    expect(first).toEqual({ next: kept?.next });
  });

  test("says how long Graph is away, and keeps nothing of it", async () => {
    const { lookUp, work, fault } = await aList(3);
    await fault({ kind: "status", endpoint: "user", status: 503, retryAfter: 900, count: 1 });

    const answer = await lookUp(0);

    expect(answer).toEqual({ awayMs: 900_000 });
    expect(await findResolved(work, aListId, 0)).toBeUndefined();
    expect(await lookUp(0)).toEqual({ next: 3 });
  });
});

describe("ids that only the caller's own token translates", () => {
  /** Translates for a call with a token. */
  const caller = (openGraph: Parameters<typeof resolveRestoresActivity>[0]["openGraph"]): Translator => ({
    by: "caller",
    open: async ({ headers }) =>
      headers.has("token") ? openGraph : { type: "/problems/none", title: "none", status: 401, detail: "Sign in." },
  });

  const anApi = async () => {
    const kit = await aRestore({ items: 3 });
    const { openGraph, mailbox, vault, work } = kit;
    const hub = aFakeHub();
    const translator = caller(openGraph);
    const handler = startRestore({ ...kit, ...hub, translator, audit: memoryAuditLog(), window: 1 });
    const post = (headers: Record<string, string>, items: readonly string[], more: object = {}) =>
      ask((request, context) => handler(request, context, { id: OPERATOR, roles: [] }), {
        method: "POST",
        headers,
        body: { restores: [{ mailbox: UPN, select: { items, ...more } }], reason: "a test" },
      });
    const [id = ""] = (await kit.items()).map((item) => item.id);
    const [outcome] = await translateExchangeIds(openGraph({ untilMs: Date.now() + 60_000 }), mailbox.userId, [id], {
      from: "restId",
      to: "entryId",
    });
    const entryId = outcome && "translated" in outcome ? outcome.translated : "";
    /** The job has no token. */
    const resolve = async () => {
      const { listId } = RestoreMailboxesInput.parse(hub.started[0]?.input);
      const lookUp = resolveRestoresActivity({ openGraph, translator, vault, work, budgetMs: 60_000 });
      await deliverWell(lookUp, resolveRestores, { listId, from: 0 });
      return { call: await findListCall(work, listId), found: await findResolved(work, listId, 0) };
    };
    return { ...hub, post, resolve, id, entryId };
  };

  test("are translated at the call, and no token is kept for the job", async () => {
    const { post, resolve, entryId } = await anApi();

    expect(await post({ token: "secret" }, [entryId])).toMatchObject({ status: 202 });

    const { call, found } = await resolve();
    expect(found).toMatchObject({ startable: [{ position: 0 }], refused: [] });
    expect(JSON.stringify([call, found])).not.toContain("secret");
  });

  test("refuse the list at once for a call without a token", async () => {
    const { post, started, entryId } = await anApi();

    expect(await post({}, [entryId])).toMatchObject({
      status: 401,
      body: { type: "/problems/list-refused", refused: [{ position: 0, status: 401 }] },
    });
    expect(started).toEqual([]);
  });

  test("that name nothing are found out by the job, as REST and EWS ids are", async () => {
    const { post, resolve, id } = await anApi();
    await post({}, [id, "AAMk"]);

    expect((await resolve()).found?.refused).toMatchObject([{ type: "/problems/item-not-found", positions: [1] }]);
  });
});
