import { afterEach, describe, expect, test, vi } from "vitest";
import type { FaultRule } from "../../../local/graph/faults.ts";
import { readPart } from "../../../shared/vault/part-reader.ts";
import type { CatalogueRecord } from "../../../shared/vault/records.ts";
import { readManifest } from "../../../shared/vault/snapshots.ts";
import { runBackup } from "../../support/backup-run.ts";
import { aMailboxInGraph } from "../kit.ts";

const aBackedUpMailbox = async () => {
  const kit = await aMailboxInGraph({ items: 10 });
  const place = { graphUrl: kit.emulator.graphUrl, token: "emulator-token", vault: kit.vault, work: kit.work };
  const [first = ""] = (await kit.items()).map(({ id }) => id);
  const refuse = (code: string, rule: Partial<FaultRule> = {}) =>
    kit.fault({ kind: "export-item", itemIds: [first], outcome: "error", code, ...rule } as FaultRule);
  const recordsOf = async (snapshotId: string): Promise<CatalogueRecord[]> => {
    const records: CatalogueRecord[] = [];
    for (const part of (await readManifest(kit.vault, kit.mailbox.key, snapshotId))?.manifest.parts ?? [])
      for await (const record of readPart(kit.vault, part)) records.push(record);
    return records;
  };
  return { ...kit, first, refuse, recordsOf, backUp: (options = {}) => runBackup(place, kit.mailbox, options) };
};

describe("an item that Graph refuses to export", () => {
  test.each(["ErrorItemNotFound", "ErrorItemCorrupt", "ErrorSomethingNew"])(
    "makes the snapshot partial, and is stored by the run that gets it, after a refusal with %s",
    async (code) => {
      const { refuse, backUp, recordsOf, admin, first } = await aBackedUpMailbox();
      await refuse(code);
      const nights = [await backUp(), await backUp()];
      await admin["clear-faults"]({});

      const last = await backUp();

      const [one, two] = await Promise.all(
        nights.map(async ({ snapshotId }) => (await recordsOf(snapshotId)).find(({ op }) => op === "fail")),
      );
      expect(nights.map(({ state, items }) => [state, items])).toEqual([
        ["partial", 9],
        ["partial", 9],
      ]);
      expect(two).toMatchObject({ id: first, since: (one as { since: string }).since });
      expect(last).toMatchObject({ state: "complete", items: 10 });
    },
  );

  test("is no longer asked for once delta told its removal, and the snapshot is complete", async () => {
    const { refuse, backUp, admin, mailbox, first } = await aBackedUpMailbox();
    await refuse("ErrorItemCorrupt");
    await backUp();
    await admin["clear-faults"]({});
    await admin["remove-item"]({ mailbox: mailbox.id, item: first });

    const after = [await backUp(), await backUp()];

    expect(after.map(({ state, items, quiet }) => [state, items, quiet])).toEqual([
      ["complete", 9, false],
      ["complete", 9, true],
    ]);
  });

  test("that fails and is removed within one run leaves nothing open", async () => {
    const { refuse, backUp, recordsOf, admin, mailbox, first } = await aBackedUpMailbox();
    // Delta shows it as removed, there, and removed again.
    await admin.settings({ behaviours: { deltaFlickers: true } });
    await backUp();
    await refuse("ErrorItemCorrupt");
    await admin["change-item"]({ mailbox: mailbox.id, item: first, subject: "Changed" });
    await admin["remove-item"]({ mailbox: mailbox.id, item: first });

    const runs = [await backUp(), await backUp()];

    expect((await recordsOf(runs[0]?.snapshotId ?? "")).map(({ op }) => op)).toEqual(["folder", "fail", "remove"]);
    expect(runs.map(({ state, items, quiet }) => [state, items, quiet])).toEqual([
      ["complete", 9, false],
      ["complete", 9, true],
    ]);
  });
});

describe("an item that Graph has called corrupt for a day", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A mailbox whose last two backups, a day apart, could not get one item. */
  const aMailboxThatLost = async () => {
    const kit = await aBackedUpMailbox();
    vi.useFakeTimers({ toFake: ["Date"] });
    await kit.refuse("ErrorItemCorrupt");
    const first = await kit.backUp();
    vi.setSystemTime(Date.now() + 25 * 3_600_000);
    const second = await kit.backUp();
    const addItem = () => kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder: "inbox", count: 1 });
    const lostIn = async (snapshotId: string) =>
      (await kit.recordsOf(snapshotId)).filter(({ op }) => op === "skip" || op === "fail");
    return { ...kit, firsts: [first, second], addItem, lostIn };
  };

  test("leaves the snapshots after it complete, and each of them tells of it, with the same beginning", async () => {
    const { firsts, backUp, addItem, lostIn, first } = await aMailboxThatLost();
    const quiet = await backUp();
    await addItem();
    const next = await backUp();
    await addItem();
    const full = await backUp({ full: true });

    expect([...firsts, quiet, next, full].map(({ state, items, quiet }) => [state, items, quiet])).toEqual([
      ["partial", 9, false],
      ["complete", 9, false],
      ["complete", 9, true],
      ["complete", 10, false],
      ["complete", 11, false],
    ]);
    const told = await Promise.all(firsts.concat(next, full).map(({ snapshotId }) => lostIn(snapshotId)));
    const [begun] = told[0] as { since: string }[];
    for (const records of told.slice(1))
      expect(records).toMatchObject([{ op: "skip", id: first, reason: "corrupt", since: begun?.since }]);
  });

  test("is asked for again once it has changed", async () => {
    const { backUp, admin, mailbox, first, lostIn } = await aMailboxThatLost();
    await admin["clear-faults"]({});
    await admin["change-item"]({ mailbox: mailbox.id, item: first, subject: "Mended" });

    const mended = await backUp();

    expect(mended).toMatchObject({ state: "complete", items: 10 });
    expect(await lostIn(mended.snapshotId)).toEqual([]);
  });

  test.each(["changes", "whole rounds"])("is no longer told of once it was removed, by %s", async (how) => {
    const { backUp, admin, mailbox, first, lostIn, addItem } = await aMailboxThatLost();
    await admin["remove-item"]({ mailbox: mailbox.id, item: first });
    await addItem();
    if (how === "whole rounds") await admin["expire-delta"]({ mailbox: mailbox.id });

    const after = await backUp();

    expect(after).toMatchObject({ state: "complete", items: 10 });
    expect(await lostIn(after.snapshotId)).toEqual([]);
  });
});
