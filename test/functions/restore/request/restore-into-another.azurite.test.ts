import { describe, expect, test } from "vitest";
import { all } from "../../../shared/vault/samples.ts";
import { anotherMailbox } from "../../kit.ts";
import { aRestore, contents } from "../a-restore.ts";

describe("the restore into another mailbox", () => {
  test.each(["original", "new-folder"] as const)("imports every item there, with target %s", async (target) => {
    const kit = await aRestore({ items: 8 }, { intoOf: anotherMailbox });
    const live = async (mailbox = "") => contents(await all(await kit.admin.items({ mailbox })));
    const source = await live(kit.mailbox.id);

    const planned = await kit.plan({ target });
    await kit.makeFolders();
    const uploaded = await kit.upload(await kit.openSession(), { pending: [{ from: 0, to: planned.chunks }] });

    expect(uploaded).toMatchObject({ imported: 8, failed: 0, ambiguous: 0, left: [] });
    expect(await live(kit.into?.id)).toEqual(source);
    expect(await live(kit.mailbox.id)).toEqual(source);
    expect(await kit.reconcile()).toMatchObject({ imported: 8, missing: 0 });
  });

  test("skips items that are there already", async () => {
    const kit = await aRestore({ items: 3 }, { intoOf: anotherMailbox });
    const planned = await kit.plan();
    await kit.makeFolders();
    await kit.upload(await kit.openSession(), { pending: [{ from: 0, to: planned.chunks }] });

    expect(await kit.plan({ restoreId: "20261122T103000Z-abc234" })).toMatchObject({ items: 0, present: 3 });
  });
});
