import { describe, expect, test } from "vitest";
import { makeWish } from "../../../../functions/jobs/wishes.ts";
import { findRestoreReport, removeRestoreReport } from "../../../../functions/restore/report/restore-report.ts";
import { readRestorePlan } from "../../../../functions/restore/restore-state.ts";
import { takeTarget } from "../../../../functions/restore/target/target-lease.ts";
import { restoreInstance } from "../../../../shared/contracts/job-ids.ts";
import type { Blobs } from "../../../../shared/storage/blobs.ts";
import { type Death, DiedError, mortalBlobs } from "../../../support/mortal-blobs.ts";
import { aRestoreId } from "../../kit.ts";
import { aRestore, plannedChunks } from "../a-restore.ts";

type Kit = Awaited<ReturnType<typeof aRestore>>;

const idOf = (n: number): string => `20261122T09300${n}Z-xyz567`;

/** A mailbox of many folders, whose listings have pages of a few items, and of which every third item was lost. */
const aTornMailbox = async () => {
  let projects = "";
  const kit = await aRestore(
    { items: 90, layout: "typical", userFolders: 3 },
    {
      settings: { behaviours: { maxPageSize: 4 } },
      prepare: async ({ admin, mailbox }) => {
        ({ id: projects } = await admin["create-folder"]({ mailbox: mailbox.id, displayName: "Projects" }));
        await admin["create-items"]({ mailbox: mailbox.id, folder: projects, count: 12 });
      },
    },
  );
  let n = 0;
  for (const { id } of await kit.admin.folders({ mailbox: kit.mailbox.id }))
    for (const item of await kit.items(id)) {
      n += 1;
      if (n % 3 === 0) await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: item.id });
    }
  return { ...kit, projects, lost: Math.floor(n / 3) };
};

/** Steps that end as soon as they may, and sort a few entries at a time. */
const SHORT = { laneBudgetMs: 1, runEntries: 7 };

/** What a plan says, without the chance and the times in it. */
const planOf = async (kit: Kit, restoreId: string) => {
  const { generation: _, started: __, secondsPerRequest: ___, ...plan } = await readRestorePlan(kit.work, restoreId);
  return { plan, chunks: await plannedChunks(kit, restoreId) };
};

/** Delivers steps until one of them ends the work; those that die are delivered again. Returns how many there were. */
const stepsOf = async (step: () => Promise<object>, most = 2_000): Promise<number> => {
  for (let steps = 1; steps <= most; steps += 1) {
    const answer = await step().catch((error: unknown) => {
      if (!(error instanceof DiedError)) throw error;
      return { unfinished: true };
    });
    if (!("unfinished" in answer) && !("awayMs" in answer)) return steps;
  }
  throw new Error("The steps do not end");
};

describe("planning in steps", () => {
  test("comes to the same plan as in one step, and leaves nothing behind", async () => {
    const kit = await aTornMailbox();
    await kit.plan({ restoreId: idOf(0) });

    expect(await stepsOf(() => kit.planStep({ restoreId: idOf(1) }, SHORT))).toBeGreaterThan(20);

    const whole = await planOf(kit, idOf(0));
    expect(whole.plan.items).toBe(kit.lost);
    expect(await planOf(kit, idOf(1))).toEqual(whole);
    expect([...kit.work.blobs.keys()].filter((name) => name.includes("/planning/"))).toEqual([]);
  });

  test.each([false, true])(
    "comes to the same plan when a step dies at any of its writes (after it: %s)",
    async (after) => {
      const kit = await aTornMailbox();
      await kit.plan({ restoreId: idOf(0), onConflict: "replace" });
      const whole = await planOf(kit, idOf(0));

      // Each delivery dies, at its first write, its second, and so on: the next one goes on.
      let write = 0;
      const mortal = (): Blobs => {
        write = (write % 9) + 1;
        return mortalBlobs([{ write, after } satisfies Death])(kit.work);
      };
      await stepsOf(() =>
        kit.planStep({ restoreId: idOf(1), onConflict: "replace" }, { ...SHORT, laneBudgetMs: 30_000, work: mortal() }),
      );

      expect(await planOf(kit, idOf(1))).toEqual(whole);
    },
  );

  test("comes to the same plan when two deliveries of each step are at work at once", async () => {
    const kit = await aTornMailbox();
    await kit.plan({ restoreId: idOf(0) });

    const both = async () => {
      const step = () => kit.planStep({ restoreId: idOf(1) }, { ...SHORT, laneBudgetMs: 20 });
      // One may find that the other has ended it all, and removed what it reads.
      const [one, other] = await Promise.allSettled([step(), step()]);
      if (one.status === "fulfilled" && !("unfinished" in one.value)) return one.value;
      return other.status === "fulfilled" ? other.value : { unfinished: true };
    };
    await stepsOf(both);

    expect(await planOf(kit, idOf(1))).toEqual(await planOf(kit, idOf(0)));
  });

  test("goes on through answers 503 and 429, and waits outside for what is asked", async () => {
    const kit = await aTornMailbox();
    await kit.plan({ restoreId: idOf(0) });
    const common = { kind: "status", endpoint: "*" } as const;
    await kit.fault({ ...common, status: 503, rate: 0.1, retryAfter: 0 });
    await kit.fault({
      ...common,
      status: 429,
      rate: 0.3,
      code: "ApplicationThrottled",
      retryAfter: 900,
      endpoint: "items",
    });

    let asked = 0;
    await stepsOf(async () => {
      const answer = await kit.planStep({ restoreId: idOf(1) }, SHORT);
      if ("awayMs" in answer && answer.awayMs > 0) asked += 1;
      return answer;
    });

    expect(asked).toBeGreaterThan(0);
    expect(await planOf(kit, idOf(1))).toEqual(await planOf(kit, idOf(0)));
  });

  test("keeps what it listed before an outage, and asks for the rest alone", async () => {
    const kit = await aTornMailbox();
    await kit.admin["reset-counters"]({});
    await kit.plan({ restoreId: idOf(0) });
    const pages = (await kit.admin.counters({})).requests["items"] ?? 0;
    await kit.admin["reset-counters"]({});
    const outage = { kind: "status", endpoint: "items", status: 503, retryAfter: 3_600, count: 4 } as const;
    await kit.fault({ ...outage, after: Math.ceil(pages / 2) });

    const ended = await kit.planStep({ restoreId: idOf(1) });
    // What is left of the hour that was asked for: a lane may hear of it after another one.
    expect(Math.round(Number("awayMs" in ended && ended.awayMs) / 60_000)).toBe(60);
    makeOlder(kit, 61);
    await kit.plan({ restoreId: idOf(1) });

    // What was open after the hour is listed again, from its first page.
    const failed = outage.count;
    expect((await kit.admin.counters({})).requests["items"]).toBeLessThan(1.5 * pages + failed);
    expect(await planOf(kit, idOf(1))).toEqual(await planOf(kit, idOf(0)));
  });

  test("plans nothing that is there, where others delete while it rests in the middle of a folder", async () => {
    const kit = await aTornMailbox();
    await kit.admin["reset-counters"]({});
    while (((await kit.admin.counters({})).requests["items"] ?? 0) < 6)
      await kit.planStep({ restoreId: idOf(1) }, SHORT);
    const folders = (await kit.admin.folders({ mailbox: kit.mailbox.id })).map(({ id }) => id);
    for (const folder of folders)
      for (const { id } of (await kit.items(folder)).slice(0, 3))
        await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: id });
    makeOlder(kit, 50);
    await kit.plan({ restoreId: idOf(1) }, SHORT);

    const live = new Set((await Promise.all(folders.map((folder) => kit.items(folder)))).flat().map(({ id }) => id));
    const planned = (await plannedChunks(kit, idOf(1))).flat();
    expect(planned.length).toBeGreaterThanOrEqual(kit.lost);
    expect(planned.filter(({ id }) => live.has(id))).toEqual([]);
  });

  test("begins anew from a checkpoint that another version of the app wrote", async () => {
    const kit = await aTornMailbox();
    await kit.plan({ restoreId: idOf(0) });
    await kit.planStep({ restoreId: idOf(1) }, SHORT);
    changeCheckpoints(kit, ({ stamp }) => ({ stamp, state: { stage: "unheard-of" } }));
    await kit.plan({ restoreId: idOf(1) }, SHORT);

    expect(await planOf(kit, idOf(1))).toEqual(await planOf(kit, idOf(0)));
  });

  test("waits while a look at a folder that is not found meets an outage", async () => {
    const kit = await aTornMailbox();
    await kit.planStep({ restoreId: idOf(1) }, SHORT);
    await kit.admin["remove-folder"]({ mailbox: kit.mailbox.id, folder: kit.projects });
    await kit.fault({ kind: "status", endpoint: "folder", status: 503, retryAfter: 3_600 });

    const answers: object[] = [];
    while (answers.length < 200) {
      const answer = await kit.planStep({ restoreId: idOf(1) }, SHORT);
      answers.push(answer);
      if ("awayMs" in answer) break;
    }
    expect(answers.at(-1)).toHaveProperty("awayMs");
  });

  test("lists a folder again whose stored link is refused", async () => {
    const kit = await aTornMailbox();
    await kit.plan({ restoreId: idOf(0) });
    await kit.admin["reset-counters"]({});
    while (((await kit.admin.counters({})).requests["items"] ?? 0) < 6)
      await kit.planStep({ restoreId: idOf(1) }, SHORT);
    let refused = 0;
    changeCheckpoints(kit, ({ stamp, state }) => {
      const { listing } = state as { listing: { open: { folder: number; link?: string }[] } };
      for (const open of listing.open) {
        if (open.link === undefined) continue;
        refused += 1;
        open.link = open.link.replace(/\d+$/, "forgotten");
      }
      return { stamp, state };
    });
    await kit.plan({ restoreId: idOf(1) }, SHORT);

    expect(refused).toBeGreaterThan(0);
    expect(await planOf(kit, idOf(1))).toEqual(await planOf(kit, idOf(0)));
  });

  test("lists a tree of folders to its end, though it takes longer than a step", async () => {
    const kit = await aTornMailbox();
    await kit.plan({ restoreId: idOf(0) });
    await kit.fault({ kind: "slow", endpoint: "folders", delayMs: 100, count: 20 });
    const isOver: Kit["openGraph"] = (budget) =>
      kit.openGraph({ ...budget, ...(budget?.endsMs !== undefined && { endsMs: Date.now() + 50 }) });
    await kit.planStep({ restoreId: idOf(1) }, { ...SHORT, openGraph: isOver });

    expect([...kit.work.blobs.keys()].some((name) => name.includes("/planning/checkpoints/"))).toBe(true);
    await kit.plan({ restoreId: idOf(1) }, SHORT);
    expect(await planOf(kit, idOf(1))).toEqual(await planOf(kit, idOf(0)));
  });

  test.each(["pause", "cancel"] as const)(
    "stops listing when it is told to %s, and can go on from there",
    async (wish) => {
      const kit = await aTornMailbox();
      await kit.admin.settings({ latencyMs: 300 });
      const job = restoreInstance(idOf(1));
      const planning = kit.planStep({ restoreId: idOf(1), jobs: [job] }, { runEntries: 7 });
      await expect.poll(async () => (await kit.admin.counters({})).requests["items"] ?? 0).toBeGreaterThan(0);
      await makeWish(kit.work, job, wish, new Date());

      expect(await planning).toEqual({ told: true });
      const { requests } = await kit.admin.counters({});
      await new Promise((resolve) => setTimeout(resolve, 400));
      expect((await kit.admin.counters({})).requests).toEqual(requests);

      await kit.admin.settings({ latencyMs: 0 });
      await kit.plan({ restoreId: idOf(1) });
      expect((await readRestorePlan(kit.work, idOf(1))).items).toBe(kit.lost);
    },
  );

  test("makes a folder anew that is deleted while it is listed", async () => {
    const kit = await aTornMailbox();
    const { length: left } = await kit.items(kit.projects);
    const before = await kit.plan({ restoreId: idOf(0) });
    const isListed = async () => ((await kit.admin.counters({})).requests["items"] ?? 0) > 3;
    await kit.admin["reset-counters"]({});
    while (!(await isListed())) await kit.planStep({ restoreId: idOf(1) }, SHORT);

    await kit.admin["remove-folder"]({ mailbox: kit.mailbox.id, folder: kit.projects });

    const after = await kit.plan({ restoreId: idOf(1) }, SHORT);
    expect(after).toMatchObject({ items: before.items + left, foldersToCreate: 1 });
  });

  test("begins anew when another restore had the mailbox meanwhile", async () => {
    const kit = await aTornMailbox();
    const take = (restoreId: string) =>
      takeTarget(kit.work, kit.mailbox.key, { restoreId, waits: true }, async () => "ended");
    const step = () => kit.planStep({ exclusive: true }, SHORT);
    await take(aRestoreId);
    while (!(await hasListed(kit))) expect(await step()).toMatchObject({ unfinished: true });

    await take(idOf(2));
    expect(await step()).toMatchObject({ notHeld: true });
    await take(aRestoreId);
    const attempts = () =>
      new Set([...kit.work.blobs.keys()].flatMap((name) => /\/checkpoints\/(a\d+)/.exec(name)?.[1] ?? []));
    expect(attempts().size).toBe(1);
    await step();
    expect(attempts().size).toBe(2);
    expect(await kit.plan({ exclusive: true }, SHORT)).toMatchObject({ items: kit.lost });
  });
});

interface Kept {
  readonly stamp: { readonly at: number };
  readonly state: unknown;
}

const changeCheckpoints = (kit: Kit, change: (kept: Kept) => Kept): void => {
  for (const [name, blob] of kit.work.blobs)
    if (name.includes("/checkpoints/"))
      blob.body = Buffer.from(JSON.stringify(change(JSON.parse(blob.body.toString()) as Kept)));
};

const makeOlder = (kit: Kit, minutes: number): void =>
  changeCheckpoints(kit, ({ stamp, state }) => ({ stamp: { ...stamp, at: stamp.at - minutes * 60_000 }, state }));

const hasListed = async (kit: Kit): Promise<boolean> =>
  [...kit.work.blobs.keys()].some((name) => name.includes("/planning/") && name.includes("/live-"));

describe("comparing in steps", () => {
  /** Restored, with an item that went again and a copy too many. */
  const aRestored = async () => {
    const kit = await aTornMailbox();
    const { chunks } = await kit.plan();
    await kit.makeFolders();
    await kit.uploadAll(await kit.openSession(), { pending: [{ from: 0, to: chunks }] });
    const [imported] = [...(await kit.ledgers.read(`restore-${aRestoreId}/ledger/c000000.jsonl`))].filter(
      ({ op }) => op === "imported",
    );
    if (imported?.op === "imported") await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: imported.itemId });
    return kit;
  };
  const reportOf = async (kit: Kit) => {
    const { finished: _, ...report } = (await findRestoreReport(kit.work, aRestoreId)) ?? expect.fail("no report");
    return report;
  };
  const again = (kit: Kit) => removeRestoreReport(kit.work, aRestoreId);

  test("comes to the same report, whatever steps die, run twice or meet", async () => {
    const kit = await aRestored();
    const whole = await kit.reconcile();
    const report = await reportOf(kit);
    expect(whole).toMatchObject({ imported: kit.lost - 1, missing: 1, surplus: 0 });

    await again(kit);
    expect(await stepsOf(() => kit.reconcileStep({}, SHORT))).toBeGreaterThan(20);
    expect(await reportOf(kit)).toEqual(report);

    for (const after of [false, true]) {
      await again(kit);
      let write = 0;
      const mortal = (): Blobs => {
        write = (write % 9) + 1;
        return mortalBlobs([{ write, after }])(kit.work);
      };
      await stepsOf(() => kit.reconcileStep({}, { ...SHORT, laneBudgetMs: 30_000, work: mortal() }));
      expect(await reportOf(kit)).toEqual(report);
    }

    await again(kit);
    await stepsOf(async () => {
      const step = () => kit.reconcileStep({}, { ...SHORT, laneBudgetMs: 20 });
      const [one, other] = await Promise.allSettled([step(), step()]);
      if (one.status === "fulfilled" && !("unfinished" in one.value)) return one.value;
      return other.status === "fulfilled" ? other.value : { unfinished: true };
    });
    expect(await reportOf(kit)).toEqual(report);

    await again(kit);
    await kit.fault({ kind: "status", endpoint: "*", status: 503, rate: 0.1, retryAfter: 0 });
    await kit.fault({ kind: "status", endpoint: "items", status: 429, rate: 0.1, retryAfter: 900 });
    await stepsOf(() => kit.reconcileStep({}, SHORT));
    expect(await reportOf(kit)).toEqual(report);
  });

  test("finds nothing of a folder that is deleted while it is listed, and reports all the same", async () => {
    const kit = await aRestored();
    const [first] = await plannedChunks(kit).then((chunks) => chunks.flat());
    const planned = (await plannedChunks(kit)).flat().filter(({ folderId }) => folderId === first?.folderId).length;
    await kit.admin["reset-counters"]({});
    while (((await kit.admin.counters({})).requests["items"] ?? 0) < 3) await kit.reconcileStep({}, SHORT);
    await kit.admin["remove-folder"]({ mailbox: kit.mailbox.id, folder: first?.folderId ?? "" });

    const { missing } = await kit.reconcile({}, SHORT);
    expect(missing).toBeGreaterThanOrEqual(planned);
  });

  test("misses nothing that is there, where others delete while it rests in the middle of a folder", async () => {
    const kit = await aRestored();
    await kit.admin["reset-counters"]({});
    while (((await kit.admin.counters({})).requests["items"] ?? 0) < 6) await kit.reconcileStep({}, SHORT);
    const folders = (await kit.admin.folders({ mailbox: kit.mailbox.id })).map(({ id }) => id);
    for (const folder of folders)
      for (const { id } of (await kit.items(folder)).slice(0, 3))
        await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: id });
    makeOlder(kit, 50);
    await kit.reconcile({}, SHORT);

    const live = new Set((await Promise.all(folders.map((folder) => kit.items(folder)))).flat().map(({ id }) => id));
    const imports = new Map<string, string>();
    for (const [chunk, items] of (await plannedChunks(kit)).entries())
      for (const entry of await kit.ledgers.read(
        `restore-${aRestoreId}/ledger/c${String(chunk).padStart(6, "0")}.jsonl`,
      ))
        if (entry.op === "imported") imports.set(items[entry.item]?.id ?? "", entry.itemId);
    const missing = (await reportOf(kit)).items.filter(({ outcome }) => outcome === "missing");
    expect(missing.filter(({ id }) => live.has(imports.get(id) ?? ""))).toEqual([]);
  });

  test("leaves no checkpoints behind where it died after its report", async () => {
    const kit = await aRestored();
    const dying: Blobs = { ...kit.work, remove: () => Promise.reject(new DiedError()) };
    await kit.reconcile({}, { ...SHORT, laneBudgetMs: 30_000, work: dying }).catch(() => undefined);
    const left = () => [...kit.work.blobs.keys()].filter((name) => name.includes("/comparing/"));
    expect(left()).not.toEqual([]);

    await kit.reconcile();
    expect(left()).toEqual([]);
  });

  test("heeds a pause, and not an order to end, since it reports that", async () => {
    const kit = await aRestored();
    const job = restoreInstance(aRestoreId);
    await makeWish(kit.work, job, "pause", new Date());
    expect(await kit.reconcileStep({ jobs: [job] })).toEqual({ told: true });

    await makeWish(kit.work, job, "cancel", new Date());
    expect(await kit.reconcileStep({ jobs: [job], stopped: { reason: "cancelled" } })).toMatchObject({
      stopped: { reason: "cancelled" },
    });
  });

  test("believes the ledgers alone once the mailbox cannot be looked at, whatever was listed before", async () => {
    const kit = await aRestored();
    await kit.reconcileStep({}, SHORT);

    const stopped = { reason: "failed", detail: "broken", unseen: true } as const;
    expect(await kit.reconcile({ stopped })).toMatchObject({ imported: kit.lost, missing: 0 });
  });
});
