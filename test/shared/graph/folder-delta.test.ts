import { describe, expect, test } from "vitest";
import { isDeltaStateLost } from "../../../shared/graph/delta-errors.ts";
import { folderChanges } from "../../../shared/graph/folder-delta.ts";
import { aGraph } from "./a-graph.ts";

const aMailbox = { id: "MBX:a@b", kind: "primary" } as const;
const shown = (id: string, displayName = id) => ({ id, displayName });
const removed = (id: string) => ({ id, "@removed": { reason: "deleted" } });

describe("folderChanges", () => {
  test("folds a round over several pages: the last entry of a folder counts", async () => {
    const { client, asked } = await aGraph([
      { body: { value: [shown("a"), shown("b"), removed("c")], "@odata.nextLink": "{origin}/v1.0/next" } },
      { body: { value: [], "@odata.nextLink": "{origin}/v1.0/more" } },
      { body: { value: [removed("a"), shown("b", "B"), shown("c")], "@odata.deltaLink": "{origin}/v1.0/delta" } },
    ]);

    const changes = await folderChanges(client, aMailbox);

    expect([...changes.changed.values()]).toEqual([shown("b", "B"), shown("c")]);
    expect([...changes.removed]).toEqual(["a"]);
    expect(changes.deltaLink).toMatch(/\/v1\.0\/delta$/);
    expect(asked.map(({ url }) => url)).toEqual([
      "/v1.0/admin/exchange/mailboxes/MBX%3Aa%40b/folders/delta",
      "/v1.0/next",
      "/v1.0/more",
    ]);
  });

  test("starts from an earlier round's link", async () => {
    const { client, asked, origin } = await aGraph([{ body: { value: [], "@odata.deltaLink": "{origin}/v1.0/d2" } }]);

    await folderChanges(client, aMailbox, `${origin}/v1.0/d1`);

    expect(asked.map(({ url }) => url)).toEqual(["/v1.0/d1"]);
  });

  test("throws for a round without an end, and for lost state", async () => {
    const endless = await aGraph([{ body: { value: [] } }]);
    await expect(folderChanges(endless.client, aMailbox)).rejects.toThrow(/ended without a link/);
    expect(endless.asked).toHaveLength(3);

    const circle = await aGraph([{ body: { value: [shown("a")], "@odata.nextLink": "{origin}/v1.0/next" } }]);
    await expect(folderChanges(circle.client, aMailbox)).rejects.toThrow(/asked for before/);
    expect(circle.asked).toHaveLength(1 + 3);

    const lost = await aGraph([{ status: 410, body: { error: { code: "SyncStateNotFound" } } }]);
    const error = await folderChanges(lost.client, aMailbox).catch((failure: unknown) => failure);
    expect(isDeltaStateLost(error)).toBe(true);
  });

  test("takes a folder of which only the id and what changed is shown, and a removal without a reason", async () => {
    const partial = { id: "a", totalItemCount: 6 };
    const value = [partial, { id: "b", "@removed": {} }, { ...shown("c"), "@removed": null, displayName: null }, {}];
    const { client } = await aGraph([{ body: { value, "@odata.deltaLink": "{origin}/v1.0/delta" } }]);

    const changes = await folderChanges(client, aMailbox);

    expect([...changes.changed.values()]).toEqual([partial, { id: "c" }]);
    expect([...changes.removed]).toEqual(["b"]);
    expect([...changes.unclear]).toEqual(["c"]);
    expect(changes.problems.map(({ id }) => id)).toEqual(["c", undefined, "c"]);
  });
});
