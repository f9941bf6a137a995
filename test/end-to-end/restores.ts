import { setTimeout as delay } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import type { Folder, Item } from "../../local/stack/admin.ts";
import { eventually } from "../support/eventually.ts";
import type { TestStack } from "../support/stack.ts";
import { folderIds, itemsInNewFolders, snapshotsOf, streams } from "../support/stack-contents.ts";

const user = (name: string): string => `${name}@contoso.example`;
const [EVE, FINN, HAL, IDA, KIM] = [user("eve"), user("finn"), user("hal"), user("ida"), user("kim")];

const ITEMS = { [EVE]: 60, [FINN]: 60, [HAL]: 0, [IDA]: 20, [KIM]: 12 };

/**
 * What restores do through HTTP, in a stack that the caller has started: a stack takes longer to start than all of
 * this. Its app has a window of two for lists of restores, and waves of a second.
 */
export const restoreTests = (stackOf: () => TestStack): void => {
  describe("through HTTP,", () => {
    let stack: TestStack;

    beforeAll(async () => {
      stack = stackOf();
      for (const [userPrincipalName, items] of Object.entries(ITEMS))
        await stack.graph.run("add-mailbox", { kind: "generated", userPrincipalName, items, bytes: { fixed: 3_000 } });
      await stack.backUp(EVE, FINN, IDA, KIM);
    });

    describe("a restore", () => {
      test("to where the items were brings back what is missing, and a second one imports nothing", async () => {
        const wanted = await byFolder(EVE);
        for (const item of (await stack.graph.items(EVE)).slice(0, 7))
          await stack.graph.run("remove-item", { mailbox: EVE, item: item.id });
        expect(await byFolder(EVE)).not.toEqual(wanted);

        const request = { mailbox: EVE, select: { all: true }, target: "original" };
        const dry = await stack.restore({ ...request, dryRun: true });
        expect(dry.result).toMatchObject({ items: 7, present: 53, foldersToCreate: 0 });
        const restored = await stack.restore(request);
        expect(restored.result).toMatchObject({ imported: 7, present: 53, missing: 0, failed: 0 });
        expect(await byFolder(EVE)).toEqual(wanted);
        await expectReport(restored.id, { imported: 7, present: 53 });
        expect(await reportStatus(dry.id)).toEqual([409, "/problems/restore-not-finished"]);
        expect((await stack.restore(request)).result).toMatchObject({
          imported: 0,
          present: 60,
          missing: 0,
          failed: 0,
        });
        expect(await byFolder(EVE)).toEqual(wanted);
      });

      test("that is asked for three times at once brings each item back once, and the others wait", async () => {
        const wanted = await byFolder(EVE);
        for (const item of (await stack.graph.items(EVE)).slice(0, 5))
          await stack.graph.run("remove-item", { mailbox: EVE, item: item.id });

        const request = { mailbox: EVE, select: { all: true }, target: "original", reason: "a test" };
        const jobs = await Promise.all([1, 2, 3].map(() => stack.api.start("/api/restores", request)));
        const ended = await Promise.all(jobs.map((job) => stack.api.finish(job)));

        expect(await byFolder(EVE)).toEqual(wanted);
        const results = ended.map(({ result }) => z.object({ imported: z.int(), missing: z.int() }).parse(result));
        expect(results.map(({ imported }) => imported).toSorted()).toEqual([0, 0, 5]);
        expect(results.map(({ missing }) => missing)).toEqual([0, 0, 0]);
      });

      test("takes folders by path, id or well-known name, items, and what a query finds, no more", async () => {
        const folders = await stack.graph.folders(FINN);
        const byKey = (key: string) => folders.find((folder) => folder.key === key);
        const [inbox, nested] = [byKey("inbox"), byKey("user-1")];
        expect(nested?.parentId).toBe(inbox?.id);
        const idsOf = (...keys: string[]) => new Set(keys.map((key) => byKey(key)?.id));
        const items = await stack.graph.items(FINN);
        const path = `${inbox?.displayName}/${nested?.displayName}`;
        const below = keysBelow(folders, nested?.id);
        expect(below).toEqual(["user-3"]);

        const inFolders = (...keys: string[]) => items.filter(({ folderId }) => idsOf(...keys).has(folderId));
        const appointments = items.filter(({ type }) => type.startsWith("IPM.Appointment"));
        expect(appointments.length).toBeGreaterThan(0);

        for (const [select, wanted] of [
          [{ folders: ["INBOX"] }, inFolders("inbox", ...keysBelow(folders, inbox?.id))],
          [{ folders: ["inbox"], children: false }, inFolders("inbox")],
          [{ folders: [path] }, inFolders("user-1", ...below)],
          [{ folders: [byKey("sentitems")?.id] }, inFolders("sentitems")],
          [{ items: [items[0]?.id] }, items.slice(0, 1)],
          [{ query: { type: "IPM.Appointment" } }, appointments],
        ] as const) {
          const before = await folderIds(stack, FINN);
          await stack.restore({ mailbox: FINN, select });
          expect(streams(await itemsInNewFolders(stack, FINN, before))).toEqual(streams(wanted));
        }
      });

      test("into a folder of its own is undone, once, and stays where somebody used it", async () => {
        const before = await folderIds(stack, IDA);
        const [one, other] = [await stack.restore(RESTORE_IDA), await stack.restore(RESTORE_IDA)];
        const added = await itemsInNewFolders(stack, IDA, before);
        const used = added.find(({ folder }) => folder !== "")?.folderId;
        await stack.graph.run("create-items", { mailbox: IDA, folder: used, subject: "my own" });

        const both = await Promise.all([one, one, other].map(({ id }) => undo(id)));
        expect(both.map(({ status }) => status).toSorted()).toEqual([202, 202, 409]);
        const jobs = both.filter(({ status }) => status === 202).map(({ job }) => job);
        const results = await Promise.all(jobs.map(async (job) => (await stack.api.finish(job)).result));

        const folders = results.map((result) => z.looseObject({ folder: z.string() }).parse(result).folder);
        expect(folders.toSorted()).toEqual(["kept", "removed"]);
        expect(streams(await itemsInNewFolders(stack, IDA, before))).toHaveLength(added.length / 2 + 1);
        const report = await stack.api.get(`/api/restores/${jobs[folders.indexOf("kept")]}/report`);
        expect(report).toMatchObject({
          folder: { outcome: "kept", strangeItems: 1 },
          needs: { setting: "RESTORE_UNDO_ITEMS" },
        });
        const left = (await stack.graph.folders(IDA)).filter(({ id, parentId }) => !before.has(id) && !parentId);
        for (const { id } of left) await stack.graph.run("remove-folder", { mailbox: IDA, folder: id });
      });

      test("into another mailbox puts everything into folders of the same names there", async () => {
        const [wanted, none] = [await byPath(EVE), await byPath(HAL)];
        expect(none).toEqual([]);

        const target = { mailbox: HAL, folders: "original" };
        const { result } = await stack.restore({ mailbox: EVE, select: { all: true }, target });

        expect(result).toMatchObject({ imported: wanted.length, present: 0, missing: 0, failed: 0 });
        expect(await byPath(HAL)).toEqual(wanted);
        expect(await byPath(EVE)).toEqual(wanted);
      });

      test("replaces what changed, duplicates everything, or brings back what went since a moment", async () => {
        const backedUp = await stack.graph.items(IDA);
        const wanted = await byFolder(IDA);
        const moment = new Date().toISOString();
        const [gone, ...others] = backedUp;
        await stack.graph.run("remove-item", { mailbox: IDA, item: gone?.id });
        for (const { id } of others.slice(0, 3))
          await stack.graph.run("change-item", { mailbox: IDA, item: id, bytes: 4_000 });
        await stack.backUp(IDA);
        expect(await snapshotsOf(stack, IDA)).toHaveLength(2);
        const request = { mailbox: IDA, select: { all: true }, at: moment, target: "original" };

        expect((await stack.restore(request)).result).toMatchObject({ imported: 1, present: 19, replaced: 0 });
        expect(await stack.graph.items(IDA)).toHaveLength(20);
        expect(await byFolder(IDA)).not.toEqual(wanted);

        const replaced = await stack.restore({ ...request, onConflict: "replace" });
        expect(replaced.result).toMatchObject({ imported: 0, replaced: 4, missing: 0 });
        expect(await byFolder(IDA)).toEqual(wanted);

        const doubled = await stack.restore({ ...request, onConflict: "duplicate" });
        expect(doubled.result).toMatchObject({ imported: 20, present: 0, missing: 0 });
        expect(await byFolder(IDA)).toEqual([...wanted, ...wanted].toSorted());
      });
    });

    describe("a restore that is interrupted", () => {
      /** Starts a restore, and stops it in the middle of its first wave; returns its job when it has done as told. */
      const interrupted = async (body: object, order: "pause" | "cancel") => {
        await stack.graph.run("reset-counters");
        await stack.graph.run("add-fault", { kind: "hold", endpoint: "import-item", after: 5 });
        const job = await stack.api.start("/api/restores", { reason: "a test", ...body });
        await eventually("import", async () => ((await imports()) > 5 ? true : undefined));
        const response = await stack.api.request(`/api/jobs/${job}/${order}`, { method: "POST" });
        expect(response.status).toBe(202);
        const [told, done] = order === "pause" ? ["pausing", "paused"] : ["stopping", "cancelled"];
        expect((await stack.api.job(job))?.state).toBe(told);
        // What is being sent is held until the wave has looked at what it was told; then it ends.
        await delay(LOOK_MS);
        await stack.graph.run("clear-faults");
        await inState(job, done);
        return job;
      };

      test("leaves whole items, each once, when it is cancelled, and another restore brings the rest", async () => {
        const wanted = await byFolder(EVE);
        for (const { id } of await stack.graph.items(EVE))
          await stack.graph.run("remove-item", { mailbox: EVE, item: id });
        const request = { mailbox: EVE, select: { all: true }, target: "original" };
        const job = await interrupted(request, "cancel");

        const there = await byFolder(EVE);
        expectSome(there, wanted);
        const stopped = { reason: "cancelled" };
        const counts = { imported: there.length, missing: wanted.length - there.length, ambiguous: 0, stopped };
        expect((await stack.api.job(job))?.result).toMatchObject(counts);
        expect(await stack.api.get(`/api/restores/${job}/report`)).toMatchObject({ counts });

        const { result } = await stack.restore(request);
        expect(result).toMatchObject({ imported: wanted.length - there.length, present: there.length, missing: 0 });
        expect(await byFolder(EVE)).toEqual(wanted);
      });

      test("leaves whole items, each once, when it is paused, and the rest when it is resumed", async () => {
        const wanted = streams(await stack.graph.items(EVE));
        const before = await folderIds(stack, EVE);
        const job = await interrupted({ mailbox: EVE, select: { all: true } }, "pause");

        expectSome(streams(await itemsInNewFolders(stack, EVE, before)), wanted);

        await stack.api.request(`/api/jobs/${job}/resume`, { method: "POST" });
        const { result } = await stack.api.finish(job);
        expect(result).toMatchObject({ imported: wanted.length, ambiguous: 0, failed: 0, missing: 0 });
        expect(streams(await itemsInNewFolders(stack, EVE, before))).toEqual(wanted);
      });
    });

    describe("a list of restores", () => {
      test("restores each mailbox by a job of its own, whatever becomes of the others, and tells of all", async () => {
        const [broken, sound] = [KIM, [EVE, FINN]];
        const department = [...sound, broken];
        const wanted = await Promise.all(sound.map(byFolder));
        for (const mailbox of department)
          for (const { id } of (await stack.graph.items(mailbox)).slice(0, 5))
            await stack.graph.run("remove-item", { mailbox, item: id });
        const { mailboxId } =
          (await stack.graph.users()).find(({ userPrincipalName }) => userPrincipalName === broken) ?? {};
        await refuseImports(mailboxId);
        const held = await stack.graph.addFault({ kind: "hold", endpoint: "import-item" });

        const list = await stack.api.start("/api/restores", {
          restores: department.map((mailbox) => ({ mailbox, ...(mailbox === broken ? { priority: "high" } : {}) })),
          ...{ select: { all: true }, target: "original", reason: "a test" },
        });
        await eventually("import under way", async () => ((await stack.graph.struck(held)) > 0 ? true : undefined));
        const running = await eventually("restore in the list's progress", async () => {
          const { progress } = (await stack.api.job(list)) ?? {};
          const jobs = Progress.safeParse(progress).data?.running ?? [];
          return jobs.length > 0 ? jobs : undefined;
        });
        expect(running.length).toBeLessThanOrEqual(2);
        await stack.api.request(`/api/jobs/${list}/pause`, { method: "POST" });
        expect((await stack.api.job(list))?.state).toBe("pausing");
        await delay(LOOK_MS);
        await stack.graph.run("clear-faults", { id: held });
        await inState(list, "paused");
        // The one that cannot import may have failed before it was told to pause.
        for (const job of running) await inState(job, "paused", "failed");
        await stack.api.request(`/api/jobs/${list}/resume`, { method: "POST" });

        const { result } = await stack.api.finish(list);
        await stack.graph.run("clear-faults");
        expect(result).toMatchObject({ complete: 2, partial: 0, failed: 1, items: { imported: 10, missing: 0 } });
        expect(await Promise.all(sound.map(byFolder))).toEqual(wanted);

        const report = ListReport.parse(await stack.api.get(`/api/restores/${list}/report`));
        expect(report).toMatchObject({
          state: "completed",
          outcomes: { complete: 2, failed: 1 },
          items: { imported: 10 },
        });
        expect(report.restores[0]).toMatchObject({ mailbox: await stack.keyOf(broken), outcome: "failed" });
        expect(report.restores[0]?.error).toContain("check the app's right to import");
        const [, second] = report.restores;
        expect(await stack.api.get(`/api/restores/${second?.job}/report`)).toMatchObject({ mailbox: second?.mailbox });
      });

      test("starts none of them where one cannot start, and fails with the reasons", async () => {
        const list = await stack.api.start("/api/restores", {
          restores: [{ mailbox: EVE }, { mailbox: "nobody@contoso.example" }],
          ...{ select: { all: true }, target: "original", reason: "a test" },
        });

        await expect(stack.api.finish(list)).rejects.toThrow("list-refused");
        const refused = [{ position: 1, type: "/problems/mailbox-not-found" }];
        expect(await stack.api.get(`/api/jobs/${list}`)).toMatchObject({
          ...{ state: "failed", progress: { phase: "refused", restores: 2 }, result: { refused, count: 1 } },
        });
        const report = await stack.api.get(`/api/restores/${list}/report`);
        expect(report).toMatchObject({ state: "failed", outcomes: { refused: 1, "not-started": 1 }, refused });
      });
    });

    test("the nightly tidying leaves the report of a restore, and what it takes to resume it", async () => {
      const restored = await stack.restore({ mailbox: EVE, select: { all: true }, target: "original" });
      const lease = stack.work.getBlobClient(`targets/${await stack.keyOf(EVE)}.json`);
      expect(await lease.exists()).toBe(true);

      const body = JSON.stringify({ input: "" });
      const headers = { "content-type": "application/json" };
      await stack.api.request("/admin/functions/nightly-tidy", { method: "POST", headers, body });
      const tidied = await eventually("tidying", async () => {
        const job = await stack.api.job("tidy-work");
        return job?.state === "completed" ? job : undefined;
      });

      expect(tidied.result).toMatchObject({ forgotten: 0, renewed: 0, failed: 0 });
      expect(await lease.exists()).toBe(true);
      await expectReport(restored.id, { imported: 0, present: 60 });
    });

    /** Asks for the undoing of a restore. */
    const undo = async (id: string): Promise<{ status: number; job: string }> => {
      const response = await stack.api.request(`/api/restores/${id}/undo`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ reason: "a test" }),
      });
      const { job } = z.looseObject({ job: z.string() }).parse(await response.json());
      return { status: response.status, job };
    };

    const imports = async () => Counters.parse(await stack.graph.counters()).itemsImported;

    const refuseImports = (mailbox: string | undefined) =>
      stack.graph.run("add-fault", {
        ...{ kind: "status", endpoint: "import-item", mailbox, status: 403, code: "ErrorAccessDenied" },
      });

    const inState = (job: string, ...states: string[]) =>
      eventually(
        `${job} that is ${states.join(" or ")}`,
        async () => states.includes((await stack.api.job(job))?.state ?? "") || undefined,
      );

    /** Which streams lie in which folder. */
    const byFolder = async (user: string): Promise<string[]> =>
      (await stack.graph.items(user)).map((item) => `${item.folderId} ${item.sha256}`).toSorted();

    /** Which streams lie in folders of which names, whatever their ids. */
    const byPath = async (user: string): Promise<string[]> => {
      const folders = new Map((await stack.graph.folders(user)).map((folder) => [folder.id, folder]));
      const pathOf = (id: string | undefined): string => {
        const folder = folders.get(id ?? "");
        return folder === undefined ? "" : `${pathOf(folder.parentId)}/${folder.displayName}`;
      };
      const lineOf = ({ folderId, sha256 }: Item): string => `${pathOf(folderId)} ${sha256}`;
      return (await stack.graph.items(user)).map(lineOf).toSorted();
    };

    /** A job's report as JSON says the same as the one as CSV: all that was wanted is there. */
    const expectReport = async (job: string, counts: { imported: number; present: number }): Promise<void> => {
      const path = `/api/restores/${job}/report`;
      const report = Report.parse(await stack.api.get(path));
      expect(report.counts).toMatchObject(counts);
      expect(report.folders.reduce((sum, { present }) => sum + present, 0)).toBe(counts.imported);

      const csv = await stack.api.request(path, { headers: { accept: "text/csv" } });
      expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
      const [header, ...rows] = (await csv.text()).trimEnd().split("\r\n");
      expect(header).toMatch(/^row,folderId,path,/);
      expect(rows).toHaveLength(report.folders.length);
    };

    const reportStatus = async (job: string): Promise<[status: number, type: string]> => {
      const response = await stack.api.request(`/api/restores/${job}/report`);
      return [response.status, z.looseObject({ type: z.string() }).parse(await response.json()).type];
    };
  });
};

const RESTORE_IDA = { mailbox: IDA, select: { all: true } };

const Progress = z.looseObject({ running: z.array(z.string()) });
const ListReport = z.looseObject({
  state: z.string(),
  outcomes: z.record(z.string(), z.int()),
  items: z.looseObject({ imported: z.int() }),
  restores: z.array(z.looseObject({ job: z.string(), mailbox: z.string(), error: z.string().optional() })),
});

const Counters = z.looseObject({ itemsImported: z.int() });

const Report = z.looseObject({
  mailbox: z.string(),
  snapshot: z.string(),
  counts: z.looseObject({}),
  folders: z.array(z.looseObject({ wanted: z.int(), present: z.int(), missing: z.literal(0) })),
  items: z.array(z.never()),
});

const keysBelow = (folders: readonly Folder[], id: string | undefined): string[] =>
  folders.filter(({ parentId }) => parentId === id).flatMap((child) => [child.key, ...keysBelow(folders, child.id)]);

/** A wave looks at what its job was told once a second. */
const LOOK_MS = 1_500;

/** Not all of what is wanted, but some, none of it more often than wanted, and nothing else. */
const expectSome = (there: readonly string[], wanted: readonly string[]): void => {
  const left = [...wanted];
  for (const each of there) {
    expect(left).toContain(each);
    left.splice(left.indexOf(each), 1);
  }
  expect(there.length).toBeGreaterThan(0);
  expect(left.length).toBeGreaterThan(0);
};
