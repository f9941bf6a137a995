import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { eventually } from "../support/eventually.ts";
import { aStack, stopStacks, type TestStack } from "../support/stack.ts";
import {
  folderIds,
  itemsInNewFolders,
  mailboxLines,
  snapshotLines,
  snapshotsOf,
  streams,
} from "../support/stack-contents.ts";

const ITEMS = 120;

/** An export that moves on when it is told to, and that nobody looks at for an hour unless an event tells of a file. */
const SLOW_EXPORT = { exportStepMs: 0, exportRetryAfterSeconds: 3_600, operationRetryAfterSeconds: 10 };

const victims = ["app", "host"] as const;
type Victim = (typeof victims)[number];
const mailboxOf = (victim: Victim, work: string) => `${work}.${victim}@contoso.example`;

let stack: TestStack;

beforeAll(async () => {
  const mailboxes = victims.flatMap((victim) =>
    ["backup", "restore"].map((work) => ({
      kind: "generated" as const,
      userPrincipalName: mailboxOf(victim, work),
      items: work === "backup" ? ITEMS : ITEMS / 2,
      bytes: { fixed: 4_000 },
    })),
  );
  stack = await aStack({ clock: 20, graph: { mailboxes, settings: { behaviours: SLOW_EXPORT } } });
});
afterAll(stopStacks);

describe.each(victims)("when the %s is killed", (victim) => {
  test("in the middle of a backup, the snapshot holds every item of the mailbox", async () => {
    const mailbox = mailboxOf(victim, "backup");
    const key = await stack.keyOf(mailbox);
    const wanted = await mailboxLines(stack, mailbox);
    await hold({ endpoint: "export-items", after: 4 });
    const job = await stack.api.start("/api/backups", { mailboxes: [mailbox] });
    await eventually("pack", async () => ((await namesIn(`${key}/packs/`)).length >= 3 ? true : undefined));
    await kill(victim);
    expect((await namesIn(`${key}/packs/`)).length).toBeLessThan(ITEMS / 20);
    expect(await snapshotsOf(stack, mailbox)).toEqual([]);
    await stack.graph.run("clear-faults");
    await resume(victim);
    await stack.api.finish(job);

    expect(wanted).toHaveLength(ITEMS);
    expect(await snapshotLines(stack, mailbox)).toEqual(wanted);
  });

  test("in the middle of a restore, every item is there once", async () => {
    const mailbox = mailboxOf(victim, "restore");
    const wanted = streams(await stack.graph.items(mailbox));
    const folders = await folderIds(stack, mailbox);
    await stack.backUp(mailbox);

    const { itemsImported: before } = await counters();
    const imported = async () => (await counters()).itemsImported - before;
    await hold({ endpoint: "import-item", after: 20 });
    const job = await stack.api.start("/api/restores", { mailbox, select: { all: true }, reason: "a test" });
    await eventually("import", async () => ((await imported()) > 20 ? true : undefined));
    await kill(victim);
    await stack.graph.run("clear-faults");
    await noRequestIsUnderWay();
    expect(await imported()).toBeLessThan(wanted.length);
    await endLeases();
    await resume(victim);
    const { result } = await stack.api.finish(job);

    expect(result).toMatchObject({ imported: wanted.length, failed: 0, ambiguous: 0, missing: 0 });
    expect(streams(await itemsInNewFolders(stack, mailbox, folders))).toEqual(wanted);
  });

  test("in the middle of an undo, the folder of the restore goes, and counts as gone by it", async () => {
    // The mailbox of the killed restore is free within minutes by itself, which no test should wait for.
    const mailbox = mailboxOf(victim, "backup");
    const before = await folderIds(stack, mailbox);
    const restored = await stack.restore({ mailbox, select: { all: true } });
    const items = (await itemsInNewFolders(stack, mailbox, before)).length;

    const deleted = await deletions();
    await hold({ endpoint: "delete-folder", after: 0 });
    const job = await stack.api.start(`/api/restores/${restored.id}/undo`, { reason: "a test" });
    await eventually("deletion", async () => ((await deletions()) > deleted ? true : undefined));
    await kill(victim);
    await stack.graph.run("clear-faults");
    await noRequestIsUnderWay();
    await endLeases();
    await resume(victim);
    const { result } = await stack.api.finish(job);

    expect(result).toMatchObject({ deleted: items, alreadyGone: 0, folder: "removed" });
    expect(await itemsInNewFolders(stack, mailbox, before)).toEqual([]);
  });

  test("while an export of personal data is waited for, its files end the wait all the same", async () => {
    const asked = { user: mailboxOf(victim, "backup"), reason: "a test" };
    const job = await stack.api.start("/api/personal-data-exports", asked);
    await eventually("wait", async () =>
      (await stack.api.job(job))?.progress?.["phase"] === "waiting" ? true : undefined,
    );
    await kill(victim);
    await stack.graph.run("step-exports", { steps: 10 });
    await resume(victim);

    const { result } = await stack.api.finish(job);
    expect(result).toMatchObject({ files: 5, unanswered: 0 });
  });
});

const kill = async (victim: Victim): Promise<void> => {
  if (victim === "host") {
    stack.host().kill();
    await stack.host().ended;
    return;
  }
  const pid = await stack.appPid();
  process.kill(pid, "SIGKILL");
  await eventually("new process", async () => ((await stack.appPid().catch(() => pid)) === pid ? undefined : true));
};

const resume = async (victim: Victim): Promise<void> => {
  if (victim === "host") await stack.restartHost();
};

/** Lets work come so far and no further, so that a kill lands in the middle of it. */
const hold = (what: { endpoint: string; after: number }): Promise<void> =>
  stack.graph.run("add-fault", { kind: "hold", ...what });

const Counters = z.looseObject({
  itemsImported: z.int(),
  requests: z.record(z.string(), z.int()),
  mailboxes: z.record(z.string(), z.looseObject({ inFlight: z.int() })),
});
const counters = async () => Counters.parse(await stack.graph.counters());

const deletions = async (): Promise<number> => (await counters()).requests["delete-folder"] ?? 0;

/** What a dead process had sent may still take effect for a moment, as at Exchange. */
const noRequestIsUnderWay = () =>
  eventually("quiet moment", async () =>
    Object.values((await counters()).mailboxes).every(({ inFlight }) => inFlight === 0) ? true : undefined,
  );

/** The leases of a dead process end by themselves within a minute, which no test should wait for. */
const endLeases = async (): Promise<void> => {
  for await (const { name, properties } of stack.work.listBlobsFlat())
    if (properties.leaseState === "leased") await stack.work.getBlobClient(name).getBlobLeaseClient().breakLease(0);
};

const namesIn = async (prefix: string): Promise<string[]> => {
  const names: string[] = [];
  for await (const { name } of stack.vault.list(prefix)) names.push(name);
  return names;
};
