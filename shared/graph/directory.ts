import * as z from "zod";
import type { GraphClient } from "./graph-client.ts";
import { GraphError, hasCode } from "./graph-error.ts";
import { fetchElement, fetchPage, type Page } from "./page.ts";

/** The fields of a user that a backup needs. */
export const DirectoryUser = z.looseObject({
  id: z.string().min(1),
  displayName: z.string().nullish(),
  userPrincipalName: z.string().nullish(),
  accountEnabled: z.boolean().nullish(),
  assignedLicenses: z.array(z.unknown()).nullish(),
});
export type DirectoryUser = z.output<typeof DirectoryUser>;

const SELECT = "$select=id,displayName,userPrincipalName,accountEnabled,assignedLicenses";

/** Users in a page: more would delay the first backup, fewer would cost more requests. */
const USERS_PAGE = 100;

/** The archive is in beta only. Source: learn.microsoft.com/graph/api/resources/exchangesettings (2026-08). */
const ExchangeSettings = z.looseObject({
  primaryMailboxId: z.string().min(1).nullish(),
  inPlaceArchiveMailboxId: z.string().min(1).nullish(),
});

/** Codes for a user that does not exist. Source: error table of a mail backup tool on the mail API. */
const NO_RESOURCE = "Request_ResourceNotFound";
const NO_USER = [NO_RESOURCE, "ErrorInvalidUser"];

/** Codes for a user without a mailbox, with any status. Source: as above. */
const NO_MAILBOX = [...NO_USER, "MailboxNotEnabledForRESTAPI", "ResourceNotFound", "ErrorNonExistentMailbox"];

/** One page of the directory's users, from the start or from a nextLink. */
export const usersPage = (graph: GraphClient, link?: string): Promise<Page<DirectoryUser>> =>
  fetchPage(
    graph,
    { operation: "GET users", target: link ?? `/v1.0/users?${SELECT}&$top=${USERS_PAGE}` },
    DirectoryUser,
  );

/** A user by id or principal name; `undefined` when there is none. */
export const findUser = async (graph: GraphClient, idOrName: string): Promise<DirectoryUser | undefined> => {
  const target = `/v1.0/users/${encodeURIComponent(idOrName)}?${SELECT}`;
  try {
    return await fetchElement(graph, { operation: "GET user", target }, DirectoryUser);
  } catch (error) {
    if (hasCode(error, ...NO_USER)) return undefined;
    throw error;
  }
};

/** The id of a user's primary mailbox; `undefined` when the user has none. */
export const findMailboxId = async (graph: GraphClient, userId: string): Promise<string | undefined> =>
  (await exchangeSettings(graph, "v1.0", userId))?.primaryMailboxId ?? undefined;

/** The id of a user's archive mailbox; `undefined` when the user has none. */
export const findArchiveId = async (graph: GraphClient, userId: string): Promise<string | undefined> =>
  (await exchangeSettings(graph, "beta", userId))?.inPlaceArchiveMailboxId ?? undefined;

/**
 * The Exchange settings of a user; `undefined` when there are none. It is not documented what Graph answers for a user
 * without a mailbox. A missing id has been seen, and any 404 counts as no mailbox, so that one user of an unknown kind
 * does not fail the backup of all.
 */
const exchangeSettings = async (
  graph: GraphClient,
  version: "v1.0" | "beta",
  userId: string,
): Promise<z.output<typeof ExchangeSettings> | undefined> => {
  const target = `/${version}/users/${encodeURIComponent(userId)}/settings/exchange`;
  try {
    return await graph.json({ operation: "GET settings/exchange", target }, ExchangeSettings);
  } catch (error) {
    if (hasCode(error, ...NO_MAILBOX) || (error instanceof GraphError && error.status === 404)) return undefined;
    throw error;
  }
};

/**
 * One page of the users that are members of a group, at any depth, from the start or from a nextLink.
 *
 * @throws {Error} when there is no such group.
 */
export const groupUsersPage = async (
  graph: GraphClient,
  groupId: string,
  link?: string,
): Promise<Page<DirectoryUser>> => {
  const members = `/v1.0/groups/${encodeURIComponent(groupId)}/transitiveMembers/microsoft.graph.user`;
  const request = {
    operation: "GET transitiveMembers",
    target: link ?? `${members}?${SELECT}&$top=${USERS_PAGE}&$count=true`,
    headers: { consistencylevel: "eventual" },
  };
  try {
    return await fetchPage(graph, request, DirectoryUser);
  } catch (cause) {
    if (!hasCode(cause, NO_RESOURCE)) throw cause;
    throw new Error(`There is no group ${groupId}: check the backup's scope`, { cause });
  }
};
