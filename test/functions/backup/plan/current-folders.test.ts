import { describe, expect, test } from "vitest";
import { currentFolders } from "../../../../functions/backup/plan/current-folders.ts";
import type { MailboxAddress } from "../../../../shared/graph/mailbox-address.ts";
import { semaphore } from "../../../../shared/graph/semaphore.ts";
import { type Answer, aGraph } from "../../../shared/graph/a-graph.ts";

const mailbox: MailboxAddress = { id: "MBX:1@2", kind: "primary" };

const inbox = { id: "in", displayName: "Inbox", parentFolderId: "root", childFolderCount: 1, totalItemCount: 5 };
const projects = { id: "pr", displayName: "Projects", parentFolderId: "in", childFolderCount: 0, totalItemCount: 7 };

const page = (...value: object[]): Answer => ({ body: { value } });
const round = (...value: object[]): Answer => ({ body: { value, "@odata.deltaLink": "{origin}/delta?token=1" } });
const refusal = (status: number, code: string): Answer => ({ status, body: { error: { code, message: "no" } } });

/**
 * The folders of a first run while Graph answers as scripted, and what was asked for below the mailbox's folders. One
 * slot puts requests in an order that would otherwise be sent at the same time.
 */
const firstFolders = async (...answers: readonly Answer[]) => {
  const { client, asked } = await aGraph(answers, { slots: semaphore(1) });
  const { folders, foldersDeltaLink } = await currentFolders(client, mailbox, undefined);
  return {
    paths: folders.map(({ path }) => path),
    hasLink: foldersDeltaLink !== undefined,
    asked: asked.map(({ url }) => /\/folders(.*?)(\?|$)/.exec(url ?? "")?.[1]),
  };
};

describe("currentFolders in a first run", () => {
  test("returns the link of a folder delta that showed every folder of the listing", async () => {
    expect(await firstFolders(page(inbox), round(projects, inbox), page(projects))).toEqual({
      paths: ["Inbox", "Inbox/Projects"],
      hasLink: true,
      asked: ["", "/delta", "/in/childFolders"],
    });
  });

  test("does not trust a folder delta that leaves out nested folders", async () => {
    expect(await firstFolders(page(inbox), round(inbox), page(projects))).toMatchObject({
      paths: ["Inbox", "Inbox/Projects"],
      hasLink: false,
    });
  });

  test.each([
    ["forgotten", refusal(410, "syncStateNotFound")],
    ["refused over quota", refusal(403, "ErrorQuotaExceeded")],
  ])("returns no link when the folder delta is %s", async (_, answer) => {
    expect(await firstFolders(page(inbox), answer, page(projects))).toMatchObject({
      paths: ["Inbox", "Inbox/Projects"],
      hasLink: false,
    });
  });
});

describe("the callback of currentFolders", () => {
  test("gets all folders found so far, parents first, after each level but the last", async () => {
    const deep = { id: "de", displayName: "Deep", parentFolderId: "pr", childFolderCount: 0, totalItemCount: 1 };
    const parent = { ...projects, childFolderCount: 1 };
    const { client } = await aGraph([page(inbox), round(inbox), page(parent), page(deep)], { slots: semaphore(1) });
    const calls: string[][] = [];

    await currentFolders(client, mailbox, undefined, (folders) => calls.push(folders.map(({ path }) => path)));

    expect(calls).toEqual([["Inbox"], ["Inbox", "Inbox/Projects"]]);
  });
});

describe("currentFolders in a later run", () => {
  const known = (folder: typeof inbox, path: string) => ({
    id: folder.id,
    displayName: folder.displayName,
    path,
    type: "IPF.Note",
    itemCount: folder.totalItemCount,
    ...(folder.parentFolderId === "root" ? {} : { parentId: folder.parentFolderId }),
  });
  /** What a snapshot says of those two folders; the link carries the test server's address. */
  const laterFolders = async (...answers: readonly Answer[]) => {
    const { client, origin, asked } = await aGraph(answers);
    const folders = [known(inbox, "Inbox"), known(projects, "Inbox/Projects")];
    const current = await currentFolders(client, mailbox, { folders, foldersDeltaLink: `${origin}/delta?token=0` });
    return { paths: current.folders.map(({ path }) => path), requests: asked.length };
  };

  test("applies one delta to the last run's folders: renamed, new and removed ones", async () => {
    const renamed = { ...inbox, displayName: "Posteingang" };
    const added = { ...projects, id: "new", displayName: "50% / year" };
    const removed = { id: "pr", "@removed": { reason: "deleted" } };

    expect(await laterFolders(round(renamed, added, removed))).toEqual({
      paths: ["Posteingang", "Posteingang/50%25 %2F year"],
      requests: 1,
    });
  });

  test.each([
    ["forgotten", refusal(410, "resyncRequired")],
    ["refused over quota", refusal(403, "ErrorQuotaExceeded")],
  ])("lists all folders when the delta is %s", async (_, answer) => {
    const { paths } = await laterFolders(answer, page({ ...inbox, childFolderCount: 0 }), round(inbox));
    expect(paths).toEqual(["Inbox"]);
  });
});
