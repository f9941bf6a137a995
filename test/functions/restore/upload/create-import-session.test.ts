import { describe, expect, test } from "vitest";
import { createImportSession } from "../../../../functions/restore/restore.contract.ts";
import { createImportSessionActivity } from "../../../../functions/restore/upload/create-import-session.activity.ts";
import { sealer } from "../../../../shared/security/seal.ts";
import { aMailboxInGraph, aRestoreId, deliverWell } from "../../kit.ts";

const seals = sealer(Buffer.alloc(32, 7));

const aSession = async (importHosts?: readonly string[]) => {
  const kit = await aMailboxInGraph({ items: 0 });
  const host = new URL(kit.emulator.importUrl).host;
  const handler = createImportSessionActivity({
    openGraph: kit.openGraph,
    importHosts: importHosts ?? [host],
    sealer: seals,
  });
  const open = () => deliverWell(handler, createImportSession, { restoreId: aRestoreId, mailbox: kit.mailbox });
  return { host, open };
};

describe("create-import-session", () => {
  test("returns the session sealed for this restore alone: its URL is nowhere in the output", async () => {
    const { host, open } = await aSession();

    const output = await open();

    const text = JSON.stringify(output);
    expect(Object.keys(output).toSorted()).toEqual(["expires", "sealed"]);
    expect(text).not.toContain(host);
    expect(Buffer.from(output.sealed, "base64url").toString("latin1")).not.toContain(host);
    expect(seals.open(output.sealed, `the import session of restore ${aRestoreId}`)).toContain(`http://${host}/`);
    expect(() => seals.open(output.sealed, "another purpose")).toThrow("does not open");
    expect(Date.parse(output.expires)).toBeGreaterThan(Date.now());
  });

  test("refuses a host that is not allowed, without the URL's secret in the error", async () => {
    const { host, open } = await aSession(["outlook.office365.com"]);

    const failure: Error = await open().then(
      () => new Error("it was opened"),
      (error: Error) => error,
    );

    expect(failure.message).toBe(`The import session names the host ${host}, which IMPORT_HOSTS does not allow`);
  });
});
