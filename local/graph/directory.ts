import { badRequest, GraphFailure } from "./errors.ts";
import type { DirectoryUser, HostedMailbox } from "./mailboxes.ts";
import { allowOptions, compares, numberOption, parseFilter, project, selection } from "./odata.ts";
import { contextUrl, type DirectoryCall, paramOf, type Reply, urlWith } from "./world.ts";

/** @doc What `GET /users` shows when nothing is selected. */
const DEFAULT_PROPERTIES = ["displayName", "mail", "userPrincipalName", "businessPhones", "givenName", "surname"];
const FILTER_FIELDS = ["id", "userPrincipalName", "mail", "displayName", "accountEnabled", "userType"];
const MAX_TOP = 999;
const DEFAULT_TOP = 100;

const userView = ({ user }: DirectoryUser): Record<string, unknown> => {
  const [givenName, ...family] = user.displayName.split(" ");
  return {
    id: user.id,
    businessPhones: [],
    displayName: user.displayName,
    givenName: givenName ?? null,
    surname: family.join(" ") || null,
    mail: user.mail ?? null,
    proxyAddresses: proxyAddresses(user),
    userPrincipalName: user.userPrincipalName,
    accountEnabled: user.accountEnabled,
    userType: "Member",
    assignedLicenses: user.licensed ? [{ disabledPlans: [], skuId: "05e9a617-0261-4cee-bb44-138d3ef5d965" }] : [],
    assignedPlans: user.licensed
      ? [
          {
            assignedDateTime: "2024-01-01T00:00:00Z",
            capabilityStatus: "Enabled",
            service: "exchange",
            servicePlanId: "efb87545-963c-4e0d-99df-69c6916d9eb0",
          },
        ]
      : [],
  };
};

/** @doc The prefix is in upper case for the primary address alone. */
const proxyAddresses = ({ mail, userPrincipalName }: DirectoryUser["user"]): string[] => {
  if (mail === undefined) return [];
  return [`SMTP:${mail}`, ...(mail === userPrincipalName ? [] : [`smtp:${userPrincipalName}`])];
};

/** GET /users. @doc Pages of 100, at most 999; `mailboxSettings` on the collection is 501. */
export const listUsers = (call: DirectoryCall): Reply => userPage(call, call.world.mailboxes.users(), "users");

/** GET /groups/{group}/transitiveMembers/microsoft.graph.user */
export const listMembers = (call: DirectoryCall): Reply => {
  const members = call.world.mailboxes.group(paramOf(call, "group"));
  if (members === undefined) throw unknownResource(paramOf(call, "group"));
  return userPage(call, members, "users");
};

const userPage = (call: DirectoryCall, users: readonly DirectoryUser[], context: string): Reply => {
  const { query } = call.request;
  allowOptions(query, ["$select", "$top", "$filter", "$skiptoken", "$count"]);
  const select = selection(query) ?? DEFAULT_PROPERTIES;
  if (select.includes("mailboxSettings")) {
    throw new GraphFailure(501, "NotImplemented", "mailboxSettings cannot be selected on a collection of users.");
  }
  const top = numberOption(query, "$top") ?? DEFAULT_TOP;
  if (top < 1 || top > MAX_TOP) throw badRequest(`Invalid page size specified: '${top}'.`, "Request_BadRequest");

  const filter = parseFilter(query.get("$filter"), FILTER_FIELDS);
  const views = users
    .map(userView)
    .filter((view) => filter.every((c) => compares(view[c.field] as string | boolean | null, c.operator, c.value)));
  const start = startOf(call);
  const token = call.world.tokens.seal({ users: start + top });
  return {
    status: 200,
    json: {
      "@odata.context": contextUrl(call, context),
      ...(query.get("$count") === "true" && { "@odata.count": views.length }),
      value: views.slice(start, start + top).map((view) => project(view, select)),
      ...(start + top < views.length && { "@odata.nextLink": urlWith(call.request, { $skiptoken: token }) }),
    },
  };
};

const startOf = (call: DirectoryCall): number => {
  const text = call.request.query.get("$skiptoken");
  if (text === null) return 0;
  const token = call.world.tokens.open(text);
  if (typeof token === "object" && token !== null && "users" in token) return Number(token.users);
  throw badRequest("Badly formed token.", "Directory_ExpiredPageToken");
};

/** GET /users/{user} */
export const getUser = (call: DirectoryCall): Reply => {
  const view = userView(knownUser(call));
  const select = selection(call.request.query) ?? DEFAULT_PROPERTIES;
  return { status: 200, json: { "@odata.context": contextUrl(call, "users/$entity"), ...project(view, select) } };
};

/** GET /users/{user}/settings/exchange. @guess What a user without a mailbox gets. */
export const exchangeSettings = (call: DirectoryCall): Reply => {
  allowOptions(call.request.query, []);
  const found = knownUser(call);
  const mailbox = primaryMailbox(call, found);
  const context = `users('${encodeURIComponent(paramOf(call, "user"))}')/settings/exchange/$entity`;
  return {
    status: 200,
    json: {
      "@odata.context": contextUrl(call, context),
      primaryMailboxId: mailbox.id,
      ...(call.version === "beta" && found.archive && { inPlaceArchiveMailboxId: found.archive.id }),
    },
  };
};

/** GET /users/{user}/mailboxSettings/userPurpose */
export const userPurpose = (call: DirectoryCall): Reply => {
  const context = `users('${encodeURIComponent(paramOf(call, "user"))}')/mailboxSettings/userPurpose`;
  return { status: 200, json: { "@odata.context": contextUrl(call, context), value: knownUser(call).purpose } };
};

/** The mailbox of a user who has one. */
export const primaryMailbox = (call: DirectoryCall, user: DirectoryUser = knownUser(call)): HostedMailbox => {
  if (user.mailbox !== undefined) return user.mailbox;
  const { noMailboxCode } = call.world.settings().behaviours;
  throw new GraphFailure(404, noMailboxCode, "The mailbox is either inactive, soft-deleted, or is hosted on-premise.");
};

/** The user that a path names. @throws {GraphFailure} 404 when there is none. */
export const knownUser = (call: DirectoryCall): DirectoryUser => {
  const found = call.world.mailboxes.user(paramOf(call, "user"));
  if (found === undefined) throw unknownResource(paramOf(call, "user"));
  return found;
};

const unknownResource = (id: string) =>
  new GraphFailure(
    404,
    "Request_ResourceNotFound",
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  );
