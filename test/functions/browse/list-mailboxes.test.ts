import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import { describe, expect, test } from "vitest";
import { getMailboxes } from "../../../functions/browse/list-mailboxes.http.ts";
import { backupInstance } from "../../../shared/contracts/job-ids.ts";
import { headName } from "../../../shared/vault/names.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { call, writeHistory } from "./a-vault.ts";

const keys = ["a", "b", "c", "d", "e"].map((letter) => letter.repeat(26));

/** A vault with some mailboxes, and a task hub in which one of them is being backed up. */
const aListing = async (mailboxes: readonly string[], running = "") => {
  const vault = memoryBlobs();
  for (const mailboxKey of mailboxes) await writeHistory(vault, [[[]]], { mailboxKey });
  const getStatus = async (id: string) => {
    if (id !== running) throw new Error("DurableClient error: HTTP 404");
    return { runtimeStatus: "Running" } as unknown as DurableOrchestrationStatus;
  };
  return { vault, handler: getMailboxes({ clientOf: () => ({ getStatus }) as unknown as DurableClient, vault }) };
};

describe("GET mailboxes", () => {
  test("has the newest snapshot of a mailbox, its problems and its job", async () => {
    const { handler } = await aListing([aKey], backupInstance(aKey));
    const age = () => Math.round((Date.now() - Date.parse("2026-11-22T01:02:00Z")) / 1000);

    const least = age();
    const { body } = await call(handler, {});
    const [mailbox] = body.mailboxes;
    expect(mailbox).toMatchObject({
      mailbox: aKey,
      newest: { finished: "2026-11-22T01:02:00Z", state: "partial", items: 7, bytes: 70 },
      problems: { failed: 2, skipped: 3 },
      job: backupInstance(aKey),
    });
    expect(mailbox?.["ageSeconds"]).toBeGreaterThanOrEqual(least);
    expect(mailbox?.["ageSeconds"]).toBeLessThanOrEqual(age());
  });

  test.each([1, 2, 3, 5, 6])("lists each mailbox once, in pages of %i", async (pageSize) => {
    const { handler } = await aListing(keys);
    const found: string[] = [];
    let page: string | undefined;
    do {
      const { body } = await call(handler, {}, { pageSize, ...(page === undefined ? {} : { page }) });
      expect(body.mailboxes.length).toBeLessThanOrEqual(pageSize);
      found.push(...body.mailboxes.map(({ mailbox }) => mailbox));
      page = body.next;
    } while (page !== undefined);
    expect(found).toEqual(keys);
  });

  test("shows damage to one mailbox beside the others", async () => {
    const { handler, vault } = await aListing(["a", "b"].map((letter) => letter.repeat(26)));
    const name = headName("a".repeat(26));
    await vault.replace(name, Buffer.from("{"), (await vault.readWhole(name))?.etag);

    const { body } = await call(handler, {});
    expect(body.mailboxes).toMatchObject([{ damage: expect.stringContaining(name) }, { problems: { failed: 2 } }]);
  });

  test.each([
    [{ page: "x" }, "page"],
    [{ pageSize: 1_001 }, "pageSize"],
    [{ user: "ada" }, "user"],
  ])("refuses %j and names the parameter", async (query, field) => {
    const { handler } = await aListing([]);
    expect(await call(handler, {}, query)).toMatchObject({ status: 400, body: { errors: [{ field }] } });
  });

  test("refuses a repeated parameter", async () => {
    const { handler } = await aListing([]);
    expect(await call(handler, {}, { pageSize: [1, 2] })).toMatchObject({
      status: 400,
      body: { errors: [{ field: "pageSize" }] },
    });
  });
});
