import { expect, test } from "vitest";
import { partName } from "../../../../shared/vault/names.ts";
import { readPart, refPart } from "../../../../shared/vault/part-reader.ts";
import { all } from "../../../shared/vault/samples.ts";
import { aRun } from "../../kit.ts";
import { anOpenedRun } from "../export/an-opened-run.ts";

test("a crash after the folders were found costs none of their records", async () => {
  const { wave, vault, admin, mailbox } = await anOpenedRun({ items: 5 });
  const { create } = vault;
  vault.create = async (name, ...rest) => {
    if (!name.endsWith("/folders.jsonl.gz")) return create(name, ...rest);
    throw new Error("storage does not answer");
  };
  await expect(wave()).rejects.toThrow("storage does not answer");
  vault.create = create;
  await admin["create-folder"]({ mailbox: mailbox.id, displayName: "Made meanwhile" });

  await wave();

  const part = await refPart(vault, partName(mailbox.key, aRun, "folders"));
  const records = part === undefined ? [] : await all(readPart(vault, part.ref));
  const names = records.map((record) => (record.op === "folder" && "path" in record ? record.path : undefined));
  expect(names).toContain("Inbox");
  expect(names).not.toContain("Made meanwhile");
});
