import { describe, expect, test } from "vitest";
import { getMailboxes } from "../../../functions/browse/list-mailboxes.http.ts";
import { getSnapshots } from "../../../functions/browse/list-snapshots.http.ts";
import { UPN } from "../../local/graph/kit.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { runBackup } from "../../support/backup-run.ts";
import { aFakeHub, ask, PROBLEM } from "../fake-hub.ts";
import { aMailboxInGraph } from "../kit.ts";

const aBackedUpMailbox = async () => {
  const kit = await aMailboxInGraph({ items: 25 });
  const { emulator, vault, work, mailbox } = kit;
  const run = await runBackup({ graphUrl: emulator.graphUrl, token: "emulator-token", vault, work }, mailbox);
  return { ...kit, run };
};

describe("GET /api/mailboxes", () => {
  test("lists the mailboxes of the vault, with the job that backs one up now", async () => {
    const { vault, mailbox, run } = await aBackedUpMailbox();
    const hub = aFakeHub({ [`backup-${mailbox.key}`]: { runtimeStatus: "Running" } });

    const { status, body } = await ask(getMailboxes({ ...hub, vault }));

    expect(status).toBe(200);
    expect(body).toEqual({
      mailboxes: [
        expect.objectContaining({
          mailbox: mailbox.key,
          user: mailbox.userId,
          displayName: expect.any(String),
          address: UPN,
          kind: "primary",
          newest: expect.objectContaining({ id: run.runId, items: 25, state: "complete" }),
          ageSeconds: expect.any(Number),
          job: `backup-${mailbox.key}`,
        }),
      ],
    });
  });

  test("names no job when none is alive", async () => {
    const { vault, mailbox } = await aBackedUpMailbox();
    const hub = aFakeHub({ [`backup-${mailbox.key}`]: { runtimeStatus: "Completed" } });

    expect((await ask(getMailboxes({ ...hub, vault }))).text).not.toContain('"job"');
  });

  test("is empty for an empty vault", async () => {
    expect((await ask(getMailboxes({ ...aFakeHub(), vault: memoryBlobs() }))).body).toEqual({ mailboxes: [] });
  });
});

describe("GET /api/mailboxes/{mailbox}/snapshots", () => {
  test("lists the snapshots, oldest first, by key, user id or principal name", async () => {
    const kit = await aBackedUpMailbox();
    await kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder: "inbox", count: 3 });
    const place = { graphUrl: kit.emulator.graphUrl, token: "emulator-token", vault: kit.vault, work: kit.work };
    const later = await runBackup(place, kit.mailbox);

    const answers = await Promise.all(
      [kit.mailbox.key, kit.mailbox.userId, UPN].map((mailbox) => ask(getSnapshots(kit), { params: { mailbox } })),
    );

    for (const { status, body } of answers) {
      expect(status).toBe(200);
      expect(body).toMatchObject({
        mailbox: kit.mailbox.key,
        user: { id: kit.mailbox.userId, primaryAddress: UPN },
        snapshots: [
          { id: kit.run.runId, base: true, state: "complete", trigger: "request", counts: { put: 25 } },
          { id: later.runId, base: false, counts: { put: 3 } },
        ],
      });
    }
  });

  test("is an empty list for a mailbox that was never backed up", async () => {
    const kit = await aMailboxInGraph({ items: 1 });

    expect((await ask(getSnapshots(kit), { params: { mailbox: UPN } })).body).toEqual({
      mailbox: kit.mailbox.key,
      snapshots: [],
    });
  });

  test.each(["nobody@contoso.example", "xj4bnp4pahh6uqkbidpf3lrceo", "../../secrets", "", "ada'; drop"])(
    "answers 404 for %j",
    async (mailbox) => {
      const { status, headers, body } = await ask(getSnapshots(await aMailboxInGraph({ items: 1 })), {
        params: { mailbox },
      });

      expect(status).toBe(404);
      expect(headers).toEqual(PROBLEM);
      expect(body).toMatchObject({ type: "/problems/mailbox-not-found" });
    },
  );
});
