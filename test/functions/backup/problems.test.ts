import { describe, expect, test } from "vitest";
import { readProblems } from "../../../shared/vault/problems.ts";
import { readManifest } from "../../../shared/vault/snapshots.ts";
import { runBackup } from "../../support/backup-run.ts";
import { aMailboxInGraph } from "../kit.ts";

/** A mailbox with a folder whose name Graph does not tell. */
const anOddMailbox = async () => {
  const kit = await aMailboxInGraph();
  const { admin, emulator, mailbox, vault, work } = kit;
  const { id: folder } = await admin["create-folder"]({ mailbox: mailbox.id, parent: "inbox", displayName: "Odd" });
  const makeOdd = (ids: readonly string[]) =>
    kit.fault({ kind: "odd-element", mailbox: mailbox.id, ids: [...ids], oddities: ["null-name"] });
  await makeOdd([folder]);
  const place = { graphUrl: emulator.graphUrl, token: "emulator-token", vault, work };
  const backUp = (full = false) => runBackup(place, mailbox, { full });
  const told = async (snapshot: string) => {
    const { manifest } = (await readManifest(vault, mailbox.key, snapshot)) ?? expect.fail("there is no manifest");
    return {
      count: "problems" in manifest.counts && manifest.counts.problems,
      problems: await readProblems(vault, manifest),
    };
  };
  return { ...kit, folder, makeOdd, backUp, told };
};

describe("what is odd in Graph's answers", () => {
  test("is told by the snapshot, once for each element", async () => {
    const { folder, backUp, told } = await anOddMailbox();

    const { snapshotId } = await backUp();

    const problems = [
      { what: "displayName is not of the documented form", folderId: folder },
      { what: "the folder has no name", folderId: folder },
    ];
    expect(await told(snapshotId)).toEqual({ count: 2, problems: expect.arrayContaining(problems) });
  });

  test("makes no snapshot of a run that met nothing that the newest snapshot does not tell", async () => {
    const { admin, mailbox, makeOdd, backUp, told } = await anOddMailbox();
    const first = await backUp();

    expect(await backUp(true)).toMatchObject({ quiet: true, snapshotId: first.snapshotId });

    const { id } = await admin["create-folder"]({ mailbox: mailbox.id, parent: "inbox", displayName: "Another" });
    const second = await backUp(true);
    await makeOdd([id]);
    const third = await backUp(true);
    expect([second, third]).toMatchObject([{ quiet: false }, { quiet: false }]);
    const { problems } = await told(third.snapshotId);
    expect(problems).toContainEqual({ what: "displayName is not of the documented form", folderId: id });
  });
});
