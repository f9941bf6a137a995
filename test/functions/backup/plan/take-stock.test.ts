import { describe, expect, test } from "vitest";
import { takeStock } from "../../../../functions/backup/plan/take-stock.ts";
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
 * The stock that is taken while Graph answers as scripted, and what it was asked for below the mailbox's folders. With one
 * slot, what would be asked at the same time comes one after the other.
 */
const firstStock = async (...answers: readonly Answer[]) => {
  const { client, asked } = await aGraph(answers, { slots: semaphore(1) });
  const { folders, foldersDeltaLink } = await takeStock(client, mailbox, undefined);
  return {
    paths: folders.map(({ path }) => path),
    hasLink: foldersDeltaLink !== undefined,
    asked: asked.map(({ url }) => /\/folders(.*?)(\?|$)/.exec(url ?? "")?.[1]),
  };
};

describe("the first stock of a mailbox", () => {
  test("keeps the link of a folder delta that showed every folder of the listing", async () => {
    expect(await firstStock(page(inbox), round(projects, inbox), page(projects))).toEqual({
      paths: ["Inbox", "Inbox/Projects"],
      hasLink: true,
      asked: ["", "/delta", "/in/childFolders"],
    });
  });

  test("does not trust a folder delta that leaves out nested folders", async () => {
    expect(await firstStock(page(inbox), round(inbox), page(projects))).toMatchObject({
      paths: ["Inbox", "Inbox/Projects"],
      hasLink: false,
    });
  });

  test.each([
    ["forgotten", refusal(410, "syncStateNotFound")],
    ["refused for want of quota", refusal(403, "ErrorQuotaExceeded")],
  ])("does without a folder delta that is %s", async (_, answer) => {
    expect(await firstStock(page(inbox), answer, page(projects))).toMatchObject({
      paths: ["Inbox", "Inbox/Projects"],
      hasLink: false,
    });
  });
});

describe("the folders of a stock", () => {
  test("are told while others are still looked for, all so far each time, parents first", async () => {
    const deep = { id: "de", displayName: "Deep", parentFolderId: "pr", childFolderCount: 0, totalItemCount: 1 };
    const parent = { ...projects, childFolderCount: 1 };
    const { client } = await aGraph([page(inbox), round(inbox), page(parent), page(deep)], { slots: semaphore(1) });
    const told: string[][] = [];

    await takeStock(client, mailbox, undefined, (folders) => told.push(folders.map(({ path }) => path)));

    expect(told).toEqual([["Inbox"], ["Inbox", "Inbox/Projects"]]);
  });
});

describe("a later stock", () => {
  const known = (folder: typeof inbox, path: string) => ({
    id: folder.id,
    displayName: folder.displayName,
    path,
    type: "IPF.Note",
    itemCount: folder.totalItemCount,
    ...(folder.parentFolderId === "root" ? {} : { parentId: folder.parentFolderId }),
  });
  /** What a snapshot says of those two folders; the link is the server's own, which only it knows. */
  const laterStock = async (...answers: readonly Answer[]) => {
    const { client, origin, asked } = await aGraph(answers);
    const folders = [known(inbox, "Inbox"), known(projects, "Inbox/Projects")];
    const stock = await takeStock(client, mailbox, { folders, foldersDeltaLink: `${origin}/delta?token=0` });
    return { paths: stock.folders.map(({ path }) => path), requests: asked.length };
  };

  test("is what the last one was, changed by one delta: renamed, new and removed folders", async () => {
    const renamed = { ...inbox, displayName: "Posteingang" };
    const added = { ...projects, id: "new", displayName: "50% / year" };
    const removed = { id: "pr", "@removed": { reason: "deleted" } };

    expect(await laterStock(round(renamed, added, removed))).toEqual({
      paths: ["Posteingang", "Posteingang/50%25 %2F year"],
      requests: 1,
    });
  });

  test.each([
    ["forgotten", refusal(410, "resyncRequired")],
    ["refused for want of quota", refusal(403, "ErrorQuotaExceeded")],
  ])("is listed when the delta is %s", async (_, answer) => {
    const { paths } = await laterStock(answer, page({ ...inbox, childFolderCount: 0 }), round(inbox));
    expect(paths).toEqual(["Inbox"]);
  });
});
