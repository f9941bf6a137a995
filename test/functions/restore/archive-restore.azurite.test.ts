import { describe, expect, test } from "vitest";
import { all } from "../../shared/vault/samples.ts";
import { anExpandedArchive, archiveOf } from "../an-archive.ts";
import { aRestore, contents } from "./a-restore.ts";

describe("the restore of an archive", () => {
  test("brings back what was lost, also in the auxiliary archive, and finds it there", async () => {
    const kit = await aRestore({ archive: anExpandedArchive }, { mailboxOf: archiveOf });
    const mailbox = kit.mailbox.id;
    const live = async () => contents(await all(await kit.admin.items({ mailbox })));
    const before = await live();
    for (const folder of ["user-0", "inbox"])
      for (const { id } of await all(await kit.admin.items({ mailbox, folder })))
        await kit.admin["remove-item"]({ mailbox, item: id });
    const lost = before.length - (await live()).length;

    const planned = await kit.plan();
    await kit.makeFolders();
    const uploaded = await kit.upload(await kit.openSession(), { pending: [{ from: 0, to: planned.chunks }] });

    expect(planned).toMatchObject({ items: lost, foldersToCreate: 0 });
    expect(uploaded).toMatchObject({ imported: lost, failed: 0, ambiguous: 0, left: [] });
    expect(await live()).toEqual(before);
    expect(await kit.reconcile()).toMatchObject({ imported: lost, missing: 0 });
    expect((await kit.admin.counters({})).requests["import-session"]).toBe(2);
  });
});
