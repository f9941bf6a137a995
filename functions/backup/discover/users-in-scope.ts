import type { BackupScope } from "../../../shared/backup-scope.ts";
import { mapBounded } from "../../../shared/bounded.ts";
import { isBrokenAnswer } from "../../../shared/graph/broken-answer.ts";
import { type DirectoryUser, findUser, groupUsersPage, usersPage } from "../../../shared/graph/directory.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { GraphError, isForbidden } from "../../../shared/graph/graph-error.ts";
import type { LeftOut, LeftOutReason } from "./left-out.contract.ts";

/** Directory requests at the same time: well below the limit of the smallest tenant (3,500 units in 10 s). */
export const LOOKUPS = 8;

/** Why Graph cannot say anything of a user. */
export type Unreached = Extract<LeftOutReason, "unanswered" | "notPermitted">;

/**
 * Asks for a user or mailbox. An error that concerns them alone is returned as a reason, not thrown: a refusal, a fault
 * that outlasts its retries, an answer that is not of the documented form. Throttling, and an app that nobody knows,
 * concern all users.
 */
export const askFor = async <T>(
  ask: () => Promise<T>,
): Promise<{ readonly found: T } | { readonly reason: Unreached }> => {
  try {
    return { found: await ask() };
  } catch (error) {
    if (isForbidden(error)) return { reason: "notPermitted" };
    const isOfAll = error instanceof GraphError && (error.status === 429 || error.status === 401);
    if (isOfAll || !(error instanceof GraphError || isBrokenAnswer(error))) throw error;
    return { reason: "unanswered" };
  }
};

/** One page of the users to back up, and of those who are left out. */
export interface UsersPage {
  readonly users: readonly DirectoryUser[];
  readonly leftOut: readonly LeftOut[];
  readonly next: string | undefined;
}

/**
 * One page of the users whose mailboxes are to be backed up, each once. Excluded users are left out of any scope. A
 * licence is required only where the scope is all licensed users: all users, a group or a list may include shared
 * mailboxes, which need none. Whether someone may sign in does not matter: the mail of people who left is worth as
 * much.
 */
export const usersInScope = async (
  graph: GraphClient,
  scope: BackupScope,
  excluded: readonly string[],
  next: string | undefined,
): Promise<UsersPage> => {
  const page = await directoryPage(graph, scope, next);
  const never = new Set(excluded.map((name) => name.toLowerCase()));
  const users: DirectoryUser[] = [];
  const leftOut = [...page.leftOut];
  for (const user of new Map(page.users.map((user) => [user.id, user])).values()) {
    const reason = isNamed(user, never) ? "excluded" : scope === "licensed" ? withoutLicence(user) : undefined;
    if (reason === undefined) users.push(user);
    else leftOut.push({ reason, user: user.id });
  }
  return { users, leftOut, next: page.next };
};

const isNamed = ({ id, userPrincipalName }: DirectoryUser, names: ReadonlySet<string>): boolean =>
  names.has(id.toLowerCase()) || names.has(userPrincipalName?.toLowerCase() ?? "");

/** Someone whose licences are unknown is not left out. */
const withoutLicence = ({ assignedLicenses, accountEnabled }: DirectoryUser): LeftOut["reason"] | undefined => {
  if (assignedLicenses?.length !== 0) return undefined;
  return accountEnabled === false ? "disabled" : "unlicensed";
};

const directoryPage = async (graph: GraphClient, scope: BackupScope, next: string | undefined): Promise<UsersPage> => {
  if (isList(scope)) return listedUsers(graph, scope);
  const page =
    typeof scope === "string" ? await usersPage(graph, next) : await groupUsersPage(graph, scope.group, next);
  const nameless = page.problems.filter(({ id }) => id === undefined);
  return { users: page.value, leftOut: nameless.map(() => ({ reason: "unanswered" })), next: page.nextLink };
};

const isList = (scope: BackupScope): scope is readonly string[] => Array.isArray(scope);

/** An entry that leads to no user is reported by its number in the list, not by its text, which may be an address. */
const listedUsers = async (graph: GraphClient, names: readonly string[]): Promise<UsersPage> => {
  const asked = await mapBounded(names, LOOKUPS, (name) => askFor(() => findUser(graph, name)));
  const users: DirectoryUser[] = [];
  const leftOut: LeftOut[] = [];
  for (const [index, answer] of asked.entries()) {
    if ("found" in answer && answer.found !== undefined) users.push(answer.found);
    else leftOut.push({ reason: "reason" in answer ? answer.reason : "unknown", entry: index + 1 });
  }
  return { users, leftOut, next: undefined };
};
