import { describe, expect, test } from "vitest";
import { findWish, makeWish } from "../../../functions/jobs/wishes.ts";
import { keepListCall } from "../../../functions/restore/request/list-request-state.ts";
import { keepRestoreList } from "../../../functions/restore/restore-list-state.ts";
import { claimRestorePlan, keepSelection } from "../../../functions/restore/restore-state.ts";
import { takeTarget } from "../../../functions/restore/target/target-lease.ts";
import { tidyScratch } from "../../../functions/tidy/tidy.contract.ts";
import { tidyScratchActivity } from "../../../functions/tidy/tidy-scratch.activity.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { aFakeHub } from "../fake-hub.ts";
import { deliver } from "../kit.ts";
import { aListed, aListId } from "../restore/a-list.ts";

const bKey = "b".repeat(26);
const [ONE, TWO] = ["20261122T090000Z-abc234", "20261122T090001Z-abc234"] as const;
const daysAgo = (days: number): Date => new Date(Date.now() - days * 24 * 3_600_000);
const ended = (days: number, runtimeStatus = "Completed") => ({ runtimeStatus, lastUpdatedTime: daysAgo(days) });

type Instances = NonNullable<Parameters<typeof aFakeHub>[0]>;

/** Scratch data, each blob last modified so many days ago, beside jobs of the hub. */
const aWork = async (ages: Readonly<Record<string, number>>, instances: Instances = {}) => {
  let ago = 0;
  const work = memoryBlobs(() => Date.now() - ago);
  const state = memoryBlobs();
  for (const name of Object.keys(ages)) await work.create(name, Buffer.from("{}"));
  const age = (prefix: string, days: number): void => {
    for (const [name, blob] of work.blobs) if (name.startsWith(prefix)) blob.modified = daysAgo(days);
  };
  for (const [name, days] of Object.entries(ages)) age(name, days);
  const hub = aFakeHub(instances);
  const tidy = (overrides: { work?: Blobs; budgetMs?: number } = {}, input: { after?: string } = {}) =>
    deliver(tidyScratchActivity({ ...hub, work, state, budgetMs: 60_000, ...overrides }), tidyScratch, input);
  const names = (): string[] => [...work.blobs.keys()].toSorted();
  const ageOf = (name: string): number =>
    Math.round((Date.now() - (work.blobs.get(name)?.modified.getTime() ?? Number.NaN)) / (24 * 3_600_000));
  /** Does something by the clock of that time. */
  const longAgo = async (days: number, what: () => Promise<unknown>) => {
    ago = days * 24 * 3_600_000;
    await what();
    ago = 0;
  };
  return { ...hub, work, state, age, tidy, names, ageOf, longAgo };
};

const NOTHING = { forgotten: 0, removed: 0, renewed: 0, failed: 0, finished: true };

describe("the scratch data of a job", () => {
  test.each([`restore-${ONE}`, `restores-${ONE}`, `undo-${ONE}`, `translate-${ONE}`])(
    "goes once the job is no longer listed, which is sixty days after its end: %s",
    async (job) => {
      const ages = { [`${job}/report.json`]: 59, [`${job}/plan-1/c000000.json`]: 61 };
      const { tidy, names, purged, age, state } = await aWork(ages, { [job]: ended(61) });
      await makeWish(state, job, "cancel", daysAgo(61));

      expect(await tidy()).toEqual({ ...NOTHING, forgotten: 1 });
      expect(await findWish(state, job)).toBeUndefined();
      expect([purged, names()]).toEqual([[job], Object.keys(ages).toSorted()]);

      age(job, 8);
      expect(await tidy()).toEqual({ ...NOTHING, removed: 2 });
      expect(names()).toEqual([]);
    },
  );

  test.each<[string, Instances[string]]>([
    ["ended less than sixty days ago", ended(59)],
    ["failed less than sixty days ago", ended(59, "Failed")],
    ["runs", { runtimeStatus: "Running", lastUpdatedTime: daysAgo(200) }],
    ["is paused", { runtimeStatus: "Suspended", lastUpdatedTime: daysAgo(200) }],
    ["has not begun", { runtimeStatus: "Pending", lastUpdatedTime: daysAgo(200) }],
  ])("stays while the job %s, and is kept from storage's own removal by age", async (_, status) => {
    const [old, young] = [`restore-${ONE}/ledger/c000000.jsonl`, `restore-${ONE}/report.json`];
    const { tidy, names, purged, ageOf } = await aWork({ [old]: 55, [young]: 20 }, { [`restore-${ONE}`]: status });

    expect(await tidy()).toEqual({ ...NOTHING, renewed: 1 });
    expect([names(), purged]).toEqual([[old, young], []]);
    expect([ageOf(old), ageOf(young)]).toEqual([0, 20]);
  });

  test.each([`translate-${ONE}`, `restores-${ONE}`])(
    "goes with an upload that nothing started, a week after its last piece: %s",
    async (upload) => {
      const { tidy, names, age } = await aWork({ [`${upload}/upload.json`]: 9, [`${upload}/pieces/p000000.txt`]: 6 });

      expect(await tidy()).toEqual(NOTHING);
      expect(names()).toHaveLength(2);
      age(upload, 8);
      expect(await tidy()).toEqual({ ...NOTHING, removed: 2 });
    },
  );

  test("stays when the job is about to start: its newest blob is younger than a week", async () => {
    const ages = { [`restore-${ONE}/selection.json`]: 6, [`translate-${TWO}/pieces/p000000.txt`]: 100 };
    const { tidy, names } = await aWork({ ...ages, [`translate-${TWO}/pieces/p000001.txt`]: 6 });

    expect(await tidy()).toEqual(NOTHING);
    expect(names()).toHaveLength(3);
  });

  test("stays when a call that is made again writes it while it is being removed", async () => {
    const name = `restore-${ONE}/selection.json`;
    const { tidy, names, work } = await aWork({ [name]: 90 });
    const overtaken: Blobs = {
      ...work,
      remove: async (...args) => {
        await keepSelection(work, ONE, { folders: ["Inbox"] });
        return work.remove(...args);
      },
    };

    expect(await tidy({ work: overtaken })).toEqual(NOTHING);
    expect(names()).toEqual([name]);
  });

  test("goes with the histories of a list's places", async () => {
    const list = `restores-${aListId}`;
    const { tidy, purged } = await aWork(
      { [`${list}/turns.json`]: 61 },
      { [list]: ended(61), [`${list}-place-0`]: ended(61), [`${list}-place-1`]: ended(61) },
    );

    await tidy();

    expect(purged).toEqual([`${list}-place-1`, `${list}-place-0`, list]);
  });
});

describe("scratch data that other jobs need stays", () => {
  const call = { at: "2026-11-22T09:00:00Z", roles: [], dryRun: false, reason: "a test" };
  const principal = "0a0a0a0a-1111-4222-8333-444444444444";

  test.each<[string, (work: Blobs) => Promise<void>]>([
    ["is looked up", (work) => keepListCall(work, aListId, { ...call, principal, restoreIds: [ONE] }, [])],
    ["was begun by an earlier version", (work) => keepRestoreList(work, aListId, [[aListed(0, { restoreId: ONE })]])],
  ])("as that of the restores of a list that %s", async (_, keep) => {
    const name = `restore-${ONE}/selection.json`;
    const list = { [`restores-${aListId}`]: { runtimeStatus: "Suspended" } };
    const kit = await aWork({ [name]: 90 }, list);
    await keep(kit.work);

    expect(await kit.tidy()).toMatchObject({ removed: 0, forgotten: 0 });
    expect([kit.names().includes(name), kit.ageOf(name)]).toEqual([true, 0]);

    kit.end(`restores-${aListId}`, "Completed");
    kit.age("restore-", 90);
    expect(await kit.tidy()).toMatchObject({ removed: 0 });
  });

  test.each(["alive", "listed"])("as the plan of a dry run that a restore carries out which is %s", async (life) => {
    const name = `restore-${ONE}/plan.json`;
    const carrier = life === "alive" ? { runtimeStatus: "Suspended" } : ended(3);
    const kit = await aWork({ [name]: 90 }, { [`restore-${ONE}`]: ended(90), [`restore-${TWO}`]: carrier });
    await claimRestorePlan(kit.work, ONE, TWO);

    expect(await kit.tidy()).toMatchObject({ forgotten: 0, removed: 0 });
    expect(kit.ageOf(name)).toBe(0);
  });

  test("as that of a restore which a job that has not ended names", async () => {
    const name = `restore-${ONE}/ledger/c000000.jsonl`;
    const undo = { name: "of-a-later-version", runtimeStatus: "Running", input: { undoes: `restore-${ONE}` } };
    const { tidy, ageOf } = await aWork({ [name]: 90 }, { [`restore-${ONE}`]: ended(90), "any-id": undo });

    expect(await tidy()).toMatchObject({ forgotten: 0, removed: 0 });
    expect(ageOf(name)).toBe(0);
  });

  test("as the plan of a rehearsal, which is no job's own", async () => {
    const name = `restore-${ONE}/plan.json`;
    const rehearsal = { name: "run-rehearsal", runtimeStatus: "Suspended" };
    const { tidy, names, end } = await aWork({ [name]: 90 }, { "rehearsal-2026-11-22": rehearsal });

    expect(await tidy()).toMatchObject({ removed: 0 });
    end("rehearsal-2026-11-22");
    expect(names()).toEqual([name]);
  });

  test("as that of a backup, a verification and a personal-data export that are paused", async () => {
    const ages = {
      ...{ [`${aKey}/${ONE}/plan/c000000.json`]: 50, [`${ONE}/verified/w000000.json`]: 50 },
      [`personal-data-${TWO}/1/request.json`]: 50,
    };
    const { tidy, names, ageOf } = await aWork(ages, {
      [`backup-${aKey}`]: { name: "backup-mailbox", runtimeStatus: "Suspended" },
      [`personal-data-${TWO}`]: { name: "export-personal-data", runtimeStatus: "Suspended" },
      "verify-share-2026-11-22": { name: "verify-vault", runtimeStatus: "Suspended", input: { resume: { run: ONE } } },
    });

    expect(await tidy()).toEqual({ ...NOTHING, renewed: 3 });
    expect(names().map(ageOf)).toEqual([0, 0, 0]);
  });
});

describe("what else lies in the scratch data", () => {
  test("loses the waves of verifications that failed, and nothing of a backup", async () => {
    const left = [`${aKey}/${ONE}/plan/c000000.json`, `${bKey}/${TWO}/verified/w000000.json`];
    const gone = [`${aKey}/${ONE}/verified/w000000.json`, `${TWO}/verified/w000003.json`];
    const old = Object.fromEntries([...left, ...gone].map((name) => [name, 9]));
    const { tidy, names } = await aWork({ ...old, [left[1] ?? ""]: 3 });

    expect(await tidy()).toEqual({ ...NOTHING, removed: 2 });
    expect(names()).toEqual(left.toSorted());
  });

  test("loses the leases of mailboxes whose restores are gone", async () => {
    const { tidy, names, work, age, longAgo } = await aWork({}, { [`restore-${TWO}`]: { runtimeStatus: "Suspended" } });
    const alive = async () => "alive" as const;
    await longAgo(90, () => takeTarget(work, aKey, { restoreId: ONE, waits: true }, alive));
    await longAgo(90, () => takeTarget(work, bKey, { restoreId: TWO, waits: true }, alive));
    age("targets/", 50);

    expect(await tidy()).toEqual({ ...NOTHING, removed: 1, renewed: 1 });
    expect(names()).toEqual([`targets/${bKey}.json`]);
  });

  test("loses the keys of calls whose jobs are not listed any more", async () => {
    const first = { body: "", at: daysAgo(50).toISOString(), guid: "g" };
    const answer = (job: string) => ({ answer: { job, headers: {}, body: "{}" } });
    const { tidy, names, work, age, ageOf } = await aWork({}, { "job-of-a": ended(50) });
    const keys = { a: { ...first, ...answer("job-of-a") }, b: { ...first, ...answer("gone") }, c: first };
    for (const [key, value] of Object.entries(keys))
      await work.create(`starts/${key}.json`, Buffer.from(JSON.stringify(value)));
    age("starts/", 50);
    await work.create("starts/new.json", Buffer.from("not read while it is new"));
    age("starts/new", 1);

    expect(await tidy()).toEqual({ ...NOTHING, removed: 2, renewed: 1 });
    expect(names()).toEqual(["starts/a.json", "starts/new.json"]);
    expect(ageOf("starts/a.json")).toBe(0);
  });

  test("stays as it is where it is of no kind that is known", async () => {
    const ages = { "scope/newest.json": 90, "slots/a.json": 90, "links/b.json": 90, "later/x.json": 90 };
    const { tidy, names } = await aWork(ages);

    expect(await tidy()).toEqual(NOTHING);
    expect(names()).toHaveLength(4);
  });
});

describe("tidy-scratch", () => {
  const many = Array.from({ length: 20 }, (_, n) => `restore-20261122T0900${String(n + 10)}Z-abc234/plan.json`);
  const ages = Object.fromEntries(many.map((name) => [name, 90]));

  test("returns when its time is up, and goes on behind the last folder", async () => {
    const { tidy, names } = await aWork(ages);

    const after = `restore-20261122T090017Z-abc234`;
    expect(await tidy({ budgetMs: 0 })).toEqual({ ...NOTHING, removed: 8, after, finished: false });
    expect(await tidy({}, { after })).toEqual({ ...NOTHING, removed: 12 });
    expect(names()).toEqual([]);
  });

  test("leaves a folder that cannot be tidied to the next night, and tidies the others", async () => {
    const { tidy, names, work } = await aWork(ages);
    const broken: Blobs = {
      ...work,
      remove: (name, etag) =>
        name === many[3] ? Promise.reject(new Error("the storage is down")) : work.remove(name, etag),
    };

    expect(await tidy({ work: broken })).toEqual({ ...NOTHING, removed: 19, failed: 1 });
    expect(names()).toEqual([many[3]]);
  });
});
