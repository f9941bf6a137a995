import { describe, expect, test } from "vitest";
import { removeScratchActivity } from "../../../../functions/backup/commit/remove-scratch.activity.ts";
import { removeScratch } from "../../../../functions/backup/commit/remove-scratch.contract.ts";
import { runBackup } from "../../../support/backup-run.ts";
import { aMailboxInGraph, deliver } from "../../kit.ts";

/** A mailbox that is backed up, and what its runs keep in scratch data. */
const aMailbox = async () => {
  const kit = await aMailboxInGraph({ items: 30 });
  const { vault, work, mailbox, emulator } = kit;
  const place = { graphUrl: emulator.graphUrl, token: "emulator-token", vault, work };
  const backUp = () => runBackup(place, mailbox);
  const remove = (runId: string) => deliver(removeScratchActivity({ work }), removeScratch, { mailbox, runId });
  const kept = () => [...work.blobs.keys()];
  return { ...kit, backUp, remove, kept };
};

describe("remove-scratch", () => {
  test("removes all that a run and those before it kept, and nothing of a later one", async () => {
    const { backUp, remove, kept } = await aMailbox();
    const [first, second, third] = [await backUp(), await backUp(), await backUp()];
    const before = kept();

    expect(await remove(second.runId)).toEqual({ removed: expect.any(Number) });

    expect(kept()).toEqual(before.filter((name) => name.includes(third.runId)));
    expect(before.filter((name) => name.includes(first.runId)).length).toBeGreaterThan(3);
  });

  test("leaves verifications, other mailboxes and slots alone, and may be delivered twice", async () => {
    const { backUp, remove, kept, work, mailbox } = await aMailbox();
    const run = await backUp();
    const others = [
      `${mailbox.key}/20261101T010000Z-abc234/verified/w000000.json`,
      `${"a".repeat(26)}/20261101T010000Z-abc234/run.json`,
      `slots/${mailbox.key}.json`,
    ];
    for (const name of others) await work.create(name, Buffer.from("{}"));

    await remove(run.runId);
    await remove(run.runId);

    expect(kept().toSorted()).toEqual(others.toSorted());
  });

  test("begins with how a run was opened: what a crash leaves of it is not gone on with", async () => {
    const { backUp, remove, work } = await aMailbox();
    await backUp();
    const quiet = await backUp();
    const { remove: removeBlob } = work;
    let removals = 0;
    work.remove = (name) => {
      removals += 1;
      return removals > 3 ? Promise.reject(new Error("storage is down")) : removeBlob(name);
    };
    await expect(remove(quiet.runId)).rejects.toThrow("storage is down");
    work.remove = removeBlob;

    expect(await backUp()).toMatchObject({ quiet: true, isAdopted: false });
  });
});
