import * as z from "zod";
import type { MailboxUser } from "../vault/manifest.ts";
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
  // In a URL these segments would lead to another address.
  if (/^\.{1,2}$/.test(idOrName)) return undefined;
  const target = `/v1.0/users/${encodeURIComponent(idOrName)}?${SELECT}`;
  return unlessNoUser(() => fetchElement(graph, { operation: "GET user", target }, DirectoryUser));
};

const Person = DirectoryUser.extend({
  mail: z.string().nullish(),
  proxyAddresses: z.array(z.string()).nullish(),
  userType: z.string().nullish(),
});

/** An address of a mailbox among proxy addresses. Only that of the primary one has the prefix in upper case. */
const SMTP = /^smtp:/i;

/** What the directory knows of a person and their addresses; `undefined` when there is no such user. */
export const findPerson = async (graph: GraphClient, userId: string): Promise<MailboxUser | undefined> => {
  const target = `/v1.0/users/${encodeURIComponent(userId)}?${SELECT},mail,proxyAddresses,userType`;
  const person = await unlessNoUser(() => fetchElement(graph, { operation: "GET user", target }, Person));
  if (person === undefined) return undefined;
  const { displayName, userPrincipalName, userType, accountEnabled, assignedLicenses, proxyAddresses } = person;
  const addresses = (proxyAddresses ?? []).filter((address) => SMTP.test(address));
  const primary = addresses.find((address) => address.startsWith("SMTP:"))?.replace(SMTP, "") ?? person.mail;
  const aliases = addresses.map((address) => address.replace(SMTP, "")).filter((address) => address !== primary);
  return {
    id: person.id,
    ...(displayName ? { displayName } : {}),
    ...(userPrincipalName ? { userPrincipalName } : {}),
    ...(primary ? { primaryAddress: primary } : {}),
    ...(aliases.length > 0 ? { aliases } : {}),
    ...(userType ? { userType } : {}),
    ...(accountEnabled == null ? {} : { accountEnabled }),
    ...(assignedLicenses ? { licensed: assignedLicenses.length > 0 } : {}),
  };
};

const unlessNoUser = async <T>(ask: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await ask();
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
