import { hashText } from "./generated-content.ts";
import type { Oddity, PageOddity } from "./oddities.ts";
import { type GraphRequest, type MailboxCall, type Reply, urlWith } from "./world.ts";

type Element = Readonly<Record<string, unknown>>;

const FOLDER_ENDPOINTS = ["folder", "folders", "folders-delta", "child-folders", "child-folders-delta"];
const ITEM_ENDPOINTS = ["item", "items", "items-delta"];

/** Has the fault rules make an answer about folders or items odd. Others stay as they are. */
export const oddReply = (call: MailboxCall, endpoint: string, reply: Reply): Reply => {
  const isOfFolders = FOLDER_ENDPOINTS.includes(endpoint);
  if (!isOfFolders && !ITEM_ENDPOINTS.includes(endpoint)) return reply;
  const json = reply.json as Element;
  const element = (shown: Element) => oddElement(call, endpoint, isOfFolders, shown);
  if (!Array.isArray(json["value"])) return { ...reply, json: element(json) };
  const page = { ...json, value: (json["value"] as Element[]).map(element) };
  const oddity = call.world.faults.oddPage(endpoint, call.mailbox.id);
  return { ...reply, json: oddity === undefined ? page : PAGES[oddity](page, call.request) };
};

const oddElement = (call: MailboxCall, endpoint: string, isFolder: boolean, element: Element): Element => {
  const id = String(element["id"]);
  const rule = call.world.faults.oddElement(endpoint, call.mailbox.id, id);
  if (rule === undefined) return element;
  const kind = "@removed" in element ? "removed" : isFolder ? "folder" : "item";
  const fitting = rule.oddities.filter((oddity) => ELEMENTS[oddity].of === kind);
  const drawn = fitting[hashText(`${rule.seed} oddity ${id}`) % fitting.length];
  if (drawn === undefined) return element;
  const { property, odd } = ELEMENTS[drawn];
  return property in element ? { ...element, [property]: odd(element[property], id) } : element;
};

interface ElementOddity {
  readonly of: "item" | "folder" | "removed";
  readonly property: string;
  readonly odd: (value: unknown, id: string) => unknown;
}

const ELEMENTS: Readonly<Record<Oddity, ElementOddity>> = {
  "negative-size": { of: "item", property: "size", odd: (size) => -Number(size) },
  "null-category": { of: "item", property: "categories", odd: (names) => [...(names as string[]), null] },
  "time-without-zone": { of: "item", property: "createdDateTime", odd: (time) => String(time).replace(/Z$/, "") },
  "empty-time": { of: "item", property: "lastModifiedDateTime", odd: () => "" },
  "null-name": { of: "folder", property: "displayName", odd: () => null },
  "own-parent": { of: "folder", property: "parentFolderId", odd: (_, id) => id },
  "removed-null": { of: "removed", property: "@removed", odd: () => null },
  "removed-without-reason": { of: "removed", property: "@removed", odd: () => ({}) },
};

interface Page extends Element {
  readonly value: readonly Element[];
}

/** Counts the pages of an answer that does not end. */
const ENDLESS = "again";

const PAGES: Readonly<Record<PageOddity, (page: Page, request: GraphRequest) => Element>> = {
  repeats: (page, request) => ({ ...withoutLinks(page), "@odata.nextLink": urlWith(request, {}) }),
  "no-link": (page) => withoutLinks(page),
  endless: (page, request) => {
    const before = Number(request.query.get(ENDLESS) ?? 0);
    // A page that is emptied is not passed: what comes after the last of them is whole.
    const next = before > 0 ? undefined : (page["@odata.nextLink"] ?? page["@odata.deltaLink"]);
    const link = new URL(typeof next === "string" ? next : urlWith(request, {}));
    link.searchParams.set(ENDLESS, String(before + 1));
    return { ...withoutLinks(page), ...(before > 0 && { value: [] }), "@odata.nextLink": link.href };
  },
  doubled: (page) => ({ ...page, value: page.value.flatMap((element) => [element, element]) }),
};

const withoutLinks = ({ "@odata.nextLink": _, "@odata.deltaLink": __, ...page }: Page): Element => page;
