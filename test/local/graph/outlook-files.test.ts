import path from "node:path";
import { describe, expect, test } from "vitest";
import { loadOutlookFiles } from "../../../local/graph/outlook-files.ts";
import { anEmulator, idsOf, UPN } from "./kit.ts";

const FILE = path.join("node_modules", "pst-extractor", "example", "testdata", "enron.pst");

describe("a mailbox from Outlook files", () => {
  test("exports items that import again, two files side by side", async () => {
    const { ask, emulator } = await anEmulator({ mailboxes: [] }, { loadOutlook: loadOutlookFiles });
    const { mailboxId: mailbox = "" } = await emulator.admin["add-mailbox"]({
      kind: "outlook",
      userPrincipalName: UPN,
      files: [FILE, FILE],
    });
    const base = `/v1.0/admin/exchange/mailboxes/${mailbox}`;
    const folders = await emulator.admin.folders({ mailbox });
    const filled = folders.filter(({ items }) => items > 0);
    const list = await ask(`${base}/folders/${filled[0]?.id}/items?$top=5`);
    const exported = await ask(`${base}/exportItems`, { body: { itemIds: idsOf(list.body.value ?? []) } });
    const session = await ask(`${base}/createImportSession`, { method: "POST" });
    const imported = await ask(String(session.body["importUrl"]), {
      body: { FolderId: filled[0]?.id, Mode: "create", Data: exported.body.value?.[0]?.["data"] },
      token: "",
    });

    expect(filled.length).toBeGreaterThan(1);
    expect(filled.map(({ items }) => items).slice(0, filled.length / 2)).toEqual(
      filled.map(({ items }) => items).slice(filled.length / 2),
    );
    expect(new Set(folders.map(({ key }) => key)).size).toBe(folders.length);
    expect(exported.body.value?.every((value) => "data" in value)).toBe(true);
    expect(imported.status).toBe(200);
  });
});
