import { expect, test } from "vitest";
import { type LedgerEntry, LedgerLostError } from "../../../../functions/restore/upload/ledger.ts";
import { type ImportContext, sendItem } from "../../../../functions/restore/upload/settle-item.ts";
import type { ItemImporter } from "../../../../shared/graph/import-item.ts";
import { aPut } from "../../../shared/vault/samples.ts";

test("an item is not sent when its ledger was lost after its intent", async () => {
  let held = true;
  const written: LedgerEntry[] = [];
  const sent: string[] = [];
  const imports: ItemImporter = {
    send: async ({ folderId, beforeSending }) => {
      held = false;
      await beforeSending?.();
      sent.push(folderId);
      return { itemId: "new-1" };
    },
  };
  const record = aPut();
  const context = {
    imports,
    elsewhere: new Map(),
    folders: { [record.folderId]: "live" },
    serverNow: async () => Date.parse("2026-11-22T09:30:00Z"),
  } as unknown as ImportContext;
  const ledger = {
    note: (entry: LedgerEntry) => void written.push(entry),
    write: async (entry: LedgerEntry) => void written.push(entry),
    close: async () => undefined,
  };
  const taken = {
    item: 0,
    record,
    tries: [],
    ledger,
    held: () => held,
    confirmHeld: async () => held,
    settled: new Map(),
  };

  await expect(sendItem(context, taken)).rejects.toThrow(LedgerLostError);

  expect(sent).toEqual([]);
  expect(written).toEqual([{ op: "intent", item: 0, at: "2026-11-22T09:30:00.000Z" }]);
});
