import type { Feature } from "../register.ts";
import { getSnapshot } from "./get-snapshot.http.ts";
import { getFolders } from "./list-folders.http.ts";
import { getItems } from "./list-items.http.ts";
import { getMailboxes } from "./list-mailboxes.http.ts";
import { getProblems } from "./list-problems.http.ts";
import { getSnapshots } from "./list-snapshots.http.ts";

export const browseFunctions: Feature = (register, { backup, translator }) => {
  register.http("list-mailboxes", getMailboxes(backup));
  register.http("list-snapshots", getSnapshots(backup));
  register.http("get-snapshot", getSnapshot(backup));
  register.http("list-folders", getFolders(backup));
  register.http("list-items", getItems({ ...backup, translator }));
  register.http("list-problems", getProblems(backup));
};
