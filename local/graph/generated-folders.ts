import { USER_FOLDERS } from "./generated-words.ts";
import type { SeedFolder } from "./seed.ts";

/** A folder before it is known how many items there are: `weight` is its share of them. */
export type PlannedFolder = Omit<SeedFolder, "itemCount"> & { readonly weight: number };

const mail = (key: string, displayName: string, weight: number): PlannedFolder => ({
  key,
  displayName,
  type: "IPF.Note",
  wellKnownName: key,
  weight,
});

/** The folders every mailbox has. */
export const FOLDER_PLAN: readonly PlannedFolder[] = [
  mail("inbox", "Inbox", 40),
  mail("sentitems", "Sent Items", 18),
  mail("drafts", "Drafts", 1),
  mail("deleteditems", "Deleted Items", 5),
  mail("archive", "Archive", 10),
  { key: "calendar", displayName: "Calendar", type: "IPF.Appointment", wellKnownName: "calendar", weight: 4 },
  { key: "contacts", displayName: "Contacts", type: "IPF.Contact", wellKnownName: "contacts", weight: 1 },
  { key: "tasks", displayName: "Tasks", type: "IPF.Task", wellKnownName: "tasks", weight: 1 },
  { key: "personmetadata", displayName: "PersonMetadata", type: "IPF.Contact", hidden: true, weight: 0 },
];

/** Mail folders of the user's own: the first ones at the top or in the inbox, later ones nested in earlier ones. */
export const userFolders = (count: number): PlannedFolder[] =>
  Array.from({ length: count }, (_, i) => {
    const parent = i % 4 === 0 ? undefined : i % 4 === 1 ? "inbox" : `user-${i - 2}`;
    const round = Math.floor(i / USER_FOLDERS.length);
    return {
      key: `user-${i}`,
      ...(parent !== undefined && { parentKey: parent }),
      displayName: `${USER_FOLDERS[i % USER_FOLDERS.length]}${round > 0 ? ` ${round + 1}` : ""}`,
      type: "IPF.Note",
      weight: 20 / count,
    };
  });
