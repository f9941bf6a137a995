import { describe, expect, test } from "vitest";
import { currentFolders } from "../../../../functions/backup/plan/current-folders.ts";
import type { MailboxAddress } from "../../../../shared/graph/mailbox-address.ts";
import { type Answer, aServerThat, clientOf } from "../../../shared/graph/a-graph.ts";

const mailbox: MailboxAddress = { id: "MBX:1@2", kind: "primary" };

type Folder = Readonly<Record<string, unknown> & { id: string }>;

const inbox = {
  id: "in",
  displayName: "Inbox",
  parentFolderId: "root",
  childFolderCount: 1,
  totalItemCount: 5,
  wellKnownName: "inbox",
};
const projects = {
  id: "pr",
  displayName: "Projects",
  parentFolderId: "in",
  childFolderCount: 0,
  totalItemCount: 7,
  wellKnownName: null,
};
const deep = { ...projects, id: "de", displayName: "Deep", parentFolderId: "pr", totalItemCount: 1 };

const page = (...value: Folder[]): Answer => ({ body: { value } });
const round = (...value: Folder[]): Answer => ({
  body: { value, "@odata.deltaLink": "{origin}/folders/delta?token=1" },
});
const removed = (id: string): Folder => ({ id, "@removed": { reason: "deleted" } });
const refusal = (status: number, code: string): Answer => ({ status, body: { error: { code, message: "no" } } });
const notFound = refusal(404, "ErrorItemNotFound");

/** What Graph answers below a mailbox's folders: `/in` is a folder, `/in/childFolders` its children, `` the top. */
type Script = Readonly<Record<string, Answer | ((query: URLSearchParams) => Answer)>>;

/** What a snapshot says of the folder. */
const known = ({ id, displayName, parentFolderId, totalItemCount, wellKnownName }: typeof inbox | typeof projects) => ({
  id,
  displayName,
  path: displayName,
  type: "IPF.Note",
  itemCount: totalItemCount,
  ...(parentFolderId === "root" ? {} : { parentId: parentFolderId }),
  ...(wellKnownName === null ? {} : { wellKnownName }),
});

interface Last {
  readonly folders?: readonly ReturnType<typeof known>[];
  readonly otherFolders?: readonly ReturnType<typeof known>[];
  /** Whether there is a link to go on from. */
  readonly hasLink?: boolean;
}

const aMailbox = async (script: Script) => {
  const paths: string[] = [];
  const { origin } = await aServerThat((target) => {
    const { pathname, searchParams } = new URL(target, "http://graph");
    const path = /\/folders(.*)$/.exec(decodeURIComponent(pathname))?.[1] ?? "";
    paths.push(path);
    const answer = script[path];
    return (typeof answer === "function" ? answer(searchParams) : answer) ?? notFound;
  });
  const { client } = clientOf(origin);
  const foldersNow = async ({ hasLink = false, ...last }: Last = {}, kind: MailboxAddress["kind"] = "primary") => {
    const before = {
      folders: [...(last.folders ?? [])],
      otherFolders: [...(last.otherFolders ?? [])],
      ...(hasLink && { foldersDeltaLink: `${origin}/folders/delta?token=0` }),
    };
    const calls: string[][] = [];
    const now = await currentFolders(client, { ...mailbox, kind }, before, (soFar) =>
      calls.push(soFar.map(({ path }) => path)),
    );
    return {
      ...now,
      paths: now.folders.map(({ path }) => path).toSorted(),
      hasLink: now.foldersDeltaLink !== undefined,
      told: now.problems.map(({ id, what }) => (id === undefined ? what : `${id}: ${what}`)),
      calls,
      asked: paths,
    };
  };
  return { foldersNow };
};

const foldersOf = async (script: Script, last?: Last) => (await aMailbox(script)).foldersNow(last);

describe("currentFolders without a link", () => {
  const listed = { "": page(inbox), "/in/childFolders": page(projects) };

  test("returns the link of a folder delta that showed every folder of the listing", async () => {
    const { paths, hasLink, asked, told } = await foldersOf({ ...listed, "/delta": round(projects, inbox) });

    expect({ paths, hasLink, told }).toEqual({ paths: ["Inbox", "Inbox/Projects"], hasLink: true, told: [] });
    expect(asked.toSorted()).toEqual(["", "/delta", "/in/childFolders"]);
  });

  test("does not trust a folder delta that leaves out nested folders", async () => {
    const { paths, hasLink } = await foldersOf({ ...listed, "/delta": round(inbox) });

    expect({ paths, hasLink }).toEqual({ paths: ["Inbox", "Inbox/Projects"], hasLink: false });
  });

  test.each([
    ["forgotten", refusal(410, "syncStateNotFound")],
    ["refused over quota", refusal(403, "ErrorQuotaExceeded")],
  ])("returns no link when the folder delta is %s", async (_, answer) => {
    const { paths, hasLink } = await foldersOf({ ...listed, "/delta": answer });

    expect({ paths, hasLink }).toEqual({ paths: ["Inbox", "Inbox/Projects"], hasLink: false });
  });

  test("calls back with all folders found so far, parents first, after each level but the last", async () => {
    const script = {
      ...listed,
      "/delta": round(inbox),
      "/in/childFolders": page({ ...projects, childFolderCount: 1 }),
      "/pr/childFolders": page(deep),
    };

    expect((await foldersOf(script)).calls).toEqual([["Inbox"], ["Inbox", "Inbox/Projects"]]);
  });

  test("does not call back while it is not known which folders are backed up", async () => {
    const { wellKnownName: _, ...unnamed } = inbox;

    expect((await foldersOf({ ...listed, "": page(unnamed), "/in": page(), "/delta": round(inbox) })).calls).toEqual(
      [],
    );
  });

  test("has a folder that only delta showed, with the folders below it, once it is looked up", async () => {
    const moved = { ...projects, parentFolderId: "root", childFolderCount: 1 };
    const { paths, hasLink, folders } = await foldersOf({
      "": page(inbox),
      "/in/childFolders": page(),
      "/delta": round(inbox, projects, { ...deep, id: "ghost" }),
      "/pr": { body: { ...moved, totalItemCount: 9 } },
      "/pr/childFolders": page(deep),
    });

    expect({ paths, hasLink }).toEqual({ paths: ["Inbox", "Projects", "Projects/Deep"], hasLink: false });
    expect(folders.find(({ id }) => id === "pr")).toMatchObject({ itemCount: 9, isCounted: true });
  });

  test("looks up a folder of the last snapshot that nothing shows: there, gone or unclear", async () => {
    const last = { folders: [known(inbox), known(projects), known({ ...deep, parentFolderId: "in" })] };
    const script = { "": page(inbox), "/in/childFolders": page(), "/delta": round(inbox) };

    const there = await foldersOf({ ...script, "/pr": { body: { ...projects, displayName: "Plans" } } }, last);
    expect(there).toMatchObject({ paths: ["Inbox", "Inbox/Plans"], hasLink: false, told: [] });

    const unclear = await foldersOf({ ...script, "/pr": refusal(403, "ErrorAccessDenied") }, last);
    expect(unclear).toMatchObject({
      paths: ["Inbox", "Inbox/Projects"],
      hasLink: false,
      told: ["pr: the folder could not be looked up"],
    });

    const gone = await foldersOf(script, last);
    expect(gone).toMatchObject({ paths: ["Inbox"], hasLink: true, told: [] });
  });

  test("counts a folder once that is shown on two levels, as it was shown last", async () => {
    const script = {
      "": page(inbox, { ...projects, parentFolderId: "root", totalItemCount: 1 }),
      "/in/childFolders": page(projects),
      "/delta": round(inbox, projects),
    };

    const { paths, folders, hasLink } = await foldersOf(script);

    expect({ paths, hasLink }).toEqual({ paths: ["Inbox", "Inbox/Projects"], hasLink: true });
    expect(folders.find(({ id }) => id === "pr")?.itemCount).toBe(7);
  });

  test("looks up what the listing and delta show differently, and what delta removed meanwhile", async () => {
    const renamed = { ...projects, displayName: "Renamed" };
    const script = { "": page(inbox, { ...deep, parentFolderId: "root" }), "/in/childFolders": page(projects) };

    const { paths } = await foldersOf({
      ...script,
      "/delta": round(inbox, renamed, removed("de")),
      "/pr": { body: renamed },
    });

    expect(paths).toEqual(["Inbox", "Inbox/Renamed"]);
  });

  test("survives a folder that is removed before its children are asked for", async () => {
    const { paths, told } = await foldersOf({
      "": page(inbox, { ...projects, parentFolderId: "root", childFolderCount: 2 }),
      "/in/childFolders": page(),
      "/delta": round(inbox),
    });

    expect({ paths, told }).toEqual({ paths: ["Inbox"], told: [] });
  });

  test("lists hidden folders too, at the top and below, where no delta shows them", async () => {
    const hiding =
      (shown: Answer, all: Answer) =>
      (query: URLSearchParams): Answer =>
        query.get("includeHiddenFolders") === "true" ? all : shown;

    const { paths, hasLink } = await foldersOf({
      "": hiding(page(inbox), page(inbox, { ...deep, parentFolderId: "root" })),
      "/in/childFolders": hiding(page(), page(projects)),
      "/delta": round(inbox),
    });

    expect({ paths, hasLink }).toEqual({ paths: ["Deep", "Inbox", "Inbox/Projects"], hasLink: false });
  });

  test("asks again without hidden folders where Graph refuses them, and tells it once", async () => {
    const refusing =
      (answer: Answer) =>
      (query: URLSearchParams): Answer =>
        query.has("includeHiddenFolders") ? refusal(400, "BadRequest") : answer;

    const { paths, told } = await foldersOf({
      "": refusing(page(inbox, { ...deep, parentFolderId: "root", childFolderCount: 1 })),
      "/in/childFolders": refusing(page(projects)),
      "/de/childFolders": refusing(page()),
      "/delta": round(inbox, projects, deep),
      "/de": { body: { ...deep, parentFolderId: "root" } },
    });

    expect({ paths, told }).toEqual({
      paths: ["Deep", "Inbox", "Inbox/Projects"],
      told: ["Graph refuses to list hidden folders"],
    });
  });

  test("knows search folders by their type, in the next run too, and does without where Graph refuses it", async () => {
    const search = { ...projects, singleValueExtendedProperties: [{ id: "Integer 0x3601", value: "2" }] };
    const refusing = (answer: Answer) => (query: URLSearchParams) =>
      query.has("$expand") ? refusal(400, "BadRequest") : answer;
    const script = { "": page(inbox), "/in/childFolders": page(search), "/delta": round(inbox, projects) };

    const { folders } = await foldersOf(script);
    expect(folders.map(({ isSearch }) => isSearch)).toEqual([undefined, true]);

    const plain = {
      "": refusing(page(inbox)),
      "/in/childFolders": refusing(page(projects)),
      "/delta": round(inbox, projects),
    };
    const last = { folders: folders.map((folder) => ({ ...folder, displayName: "?" })) };
    const next = await foldersOf(plain, last);
    expect(next.folders.map(({ isSearch }) => isSearch)).toEqual([undefined, true]);
    expect(next.told).toEqual(["Graph refuses to tell the type of folders"]);
  });
});

describe("currentFolders with a link", () => {
  const last = { folders: [known(inbox), known(projects)], hasLink: true };

  test("applies one delta to the last run's folders: renamed, new and removed ones", async () => {
    const renamed = { ...inbox, displayName: "Posteingang" };
    const added = { ...projects, id: "new", displayName: "50% / year" };

    const script = { "/delta": round(renamed, added, removed("pr")), "/new": { body: added } };
    expect(await foldersOf(script, last)).toMatchObject({
      paths: ["Posteingang", "Posteingang/50%25 %2F year"],
      asked: ["/delta", "/pr", "/new"],
      hasLink: true,
    });
  });

  test.each([
    ["forgotten", refusal(410, "resyncRequired")],
    ["refused over quota", refusal(403, "ErrorQuotaExceeded")],
  ])("lists all folders when the delta is %s", async (_, answer) => {
    const script = { "/delta": (query: URLSearchParams) => (query.has("token") ? answer : round(inbox)) };

    const { paths } = await foldersOf({ ...script, "": page({ ...inbox, childFolderCount: 0 }) }, last);

    expect(paths).toEqual(["Inbox"]);
  });

  test("keeps a removed folder that its look-up finds, or answers unclearly", async () => {
    const there = await foldersOf({ "/delta": round(removed("pr")), "/pr": { body: projects } }, last);
    expect(there).toMatchObject({ paths: ["Inbox", "Inbox/Projects"], hasLink: true, told: [] });

    const unclear = await foldersOf({ "/delta": round(removed("pr")), "/pr": refusal(403, "ErrorAccessDenied") }, last);
    expect(unclear).toMatchObject({
      paths: ["Inbox", "Inbox/Projects"],
      hasLink: false,
      told: ["pr: the folder could not be looked up"],
    });
  });

  test("takes the folders below a removed one along, but for those that are elsewhere", async () => {
    const two = { ...deep, id: "two", displayName: "Two" };
    const three = { ...deep, id: "three", displayName: "Three", parentFolderId: "de" };
    const folders = [...last.folders, known(deep), known(two), known(three)];
    const top = { ...known(inbox), id: "top", displayName: "Top", wellKnownName: "archive" };

    const { paths, asked, hasLink } = await foldersOf(
      {
        "/delta": round(removed("in"), { id: "two", parentFolderId: "top" }),
        "/three": { body: { ...three, parentFolderId: "top" } },
      },
      { folders: [...folders, top], hasLink: true },
    );

    expect({ paths, hasLink }).toEqual({ paths: ["Top", "Top/Three", "Top/Two"], hasLink: true });
    expect(asked).toEqual(["/delta", "/in", "/pr", "/de", "/three"]);
  });

  test("merges what a delta shows into what is known, over the pages of the round too", async () => {
    const pages = (query: URLSearchParams): Answer =>
      query.get("token") === "0"
        ? {
            body: {
              value: [
                { id: "in", displayName: "Eingang" },
                { id: "pr", totalItemCount: 8, parentFolderId: null },
              ],
              "@odata.nextLink": "{origin}/folders/delta?token=more",
            },
          }
        : round({ id: "in", wellKnownName: null });

    const { folders } = await foldersOf({ "/delta": pages }, last);

    expect(folders).toEqual([
      expect.objectContaining({ id: "in", path: "Eingang", itemCount: 5, isCounted: false, wellKnownName: "inbox" }),
      expect.objectContaining({ id: "pr", path: "Eingang/Projects", itemCount: 8, isCounted: true }),
    ]);
  });

  test("looks up a folder of which delta does not clearly say that it was removed", async () => {
    const odd = { "/delta": round({ id: "pr", "@removed": null }) };

    expect((await foldersOf(odd, last)).paths).toEqual(["Inbox"]);
    expect((await foldersOf({ ...odd, "/pr": { body: projects } }, last)).paths).toEqual(["Inbox", "Inbox/Projects"]);
  });

  test("looks up a new folder, of which delta may show little", async () => {
    const script = { "/delta": round({ id: "de", totalItemCount: 1 }, { id: "ghost" }), "/de": { body: deep } };

    const { paths, hasLink } = await foldersOf(script, last);

    expect({ paths, hasLink }).toEqual({ paths: ["Inbox", "Inbox/Projects", "Inbox/Projects/Deep"], hasLink: true });
  });
});

describe("currentFolders where Graph shows no wellKnownName", () => {
  const bare = ({ wellKnownName: _, ...folder }: typeof inbox | typeof projects) => folder;
  const finder = { ...bare(projects), id: "fi", displayName: "Suchordner", parentFolderId: "elsewhere" };
  const unread = { ...bare(projects), id: "un", displayName: "Ungelesen", parentFolderId: "fi" };
  const shown = [bare({ ...inbox, childFolderCount: 0 }), unread];
  const named = {
    "": page(...shown),
    "/delta": round(...shown),
    "/inbox": { body: shown[0] },
    "/searchfolders": { body: finder },
    "/fi": { body: finder },
    "/outbox": { body: { ...finder, id: "out" } },
  };

  test("asks for the folders by name, and has those that others are below", async () => {
    const { folders, told, hasLink } = await foldersOf(named);

    expect(folders.map(({ id, parentId, wellKnownName }) => [id, parentId, wellKnownName]).toSorted()).toEqual([
      ["fi", undefined, "searchfolders"],
      ["in", undefined, "inbox"],
      ["un", "fi", undefined],
    ]);
    expect({ told, hasLink }).toEqual({ told: [], hasLink: true });
  });

  test("does not ask again for what the last snapshot knows", async () => {
    const { foldersNow } = await aMailbox(named);
    const { folders } = await foldersNow();
    const last = { folders: folders.map((folder) => ({ ...folder, displayName: "?" })) };

    const listing = await foldersNow(last);
    const script = { "/delta": round(bare(projects)), "/pr": { body: bare(projects) } };
    const delta = await (await aMailbox(script)).foldersNow({ ...last, hasLink: true });

    expect(listing.asked.slice(-3).toSorted()).toEqual(["", "/delta", "/fi"]);
    expect(delta.asked).toEqual(["/delta", "/pr"]);
    expect(listing.folders.map(({ wellKnownName }) => wellKnownName)).toEqual(
      folders.map((each) => each.wellKnownName),
    );
  });

  test("asks again for a new folder at the top", async () => {
    const last = { folders: [known(inbox)], hasLink: true };
    const junk = { ...bare(inbox), id: "ju", displayName: "Spam" };

    const { folders, asked } = await foldersOf(
      { "/delta": round(junk), "/ju": { body: junk }, "/junkemail": { body: junk } },
      last,
    );

    expect(folders.find(({ id }) => id === "ju")?.wellKnownName).toBe("junkemail");
    expect(asked).not.toContain("/inbox");
  });

  test.each([
    ["it knows no names", "primary", {}],
    ["an answer is not clear", "primary", { ...named, "/searchfolders": refusal(403, "ErrorAccessDenied") }],
    ["it is an archive", "archive", named],
  ] as const)("tells that it could not find out where %s", async (_, kind, script) => {
    const { foldersNow } = await aMailbox({ "": page(...shown), "/delta": round(...shown), ...script });

    const { told, paths, asked } = await foldersNow({}, kind);

    expect(told).toEqual(["Graph does not tell which folders are search folders and which are the dumpster"]);
    expect(paths).toEqual(["Inbox", "Ungelesen"]);
    expect(asked.includes("/inbox")).toBe(kind === "primary");
  });
});
