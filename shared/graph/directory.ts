import * as z from "zod";
import type { GraphClient } from "./graph-client.ts";
import { hasCode } from "./graph-error.ts";
import { fetchAll, fetchPage, type Page } from "./page.ts";

/** A user as a backup needs to know them. */
export const DirectoryUser = z.looseObject({
  id: z.string(),
  displayName: z.string().nullish(),
  userPrincipalName: z.string().nullish(),
  accountEnabled: z.boolean().nullish(),
  assignedLicenses: z.array(z.unknown()).nullish(),
});
export type DirectoryUser = z.output<typeof DirectoryUser>;

const SELECT = "$select=id,displayName,userPrincipalName,accountEnabled,assignedLicenses";

/** Users in a page; more would delay the first backup, fewer cost requests. */
const USERS_PAGE = 100;

const ExchangeSettings = z.looseObject({ primaryMailboxId: z.string().min(1).nullish() });

/**
 * Codes that say a user has no mailbox. Source: error table of a mail backup tool on the mail API; what this endpoint
 * answers is not documented, and a missing `primaryMailboxId` has been seen too.
 */
const NO_MAILBOX = ["MailboxNotEnabledForRESTAPI", "ResourceNotFound", "ErrorInvalidUser", "ErrorNonExistentMailbox"];

/** Codes that say there is no such user. Source: as above. */
const NO_USER = ["Request_ResourceNotFound", "ErrorInvalidUser"];

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
    return await graph.json({ operation: "GET user", target }, DirectoryUser);
  } catch (error) {
    if (hasCode(error, ...NO_USER)) return undefined;
    throw error;
  }
};

/** The id of a user's primary mailbox; `undefined` when the user has none. */
export const findMailboxId = async (graph: GraphClient, userId: string): Promise<string | undefined> => {
  const target = `/v1.0/users/${encodeURIComponent(userId)}/settings/exchange`;
  try {
    const settings = await graph.json({ operation: "GET settings/exchange", target }, ExchangeSettings);
    return settings.primaryMailboxId ?? undefined;
  } catch (error) {
    if (hasCode(error, ...NO_MAILBOX, ...NO_USER)) return undefined;
    throw error;
  }
};

/** All users that are members of a group, at any depth. */
export const groupUsers = (graph: GraphClient, groupId: string): AsyncGenerator<DirectoryUser> =>
  fetchAll(
    graph,
    {
      operation: "GET transitiveMembers",
      target: `/v1.0/groups/${encodeURIComponent(groupId)}/transitiveMembers/microsoft.graph.user?${SELECT}&$count=true`,
      headers: { consistencylevel: "eventual" },
    },
    DirectoryUser,
  );
