import { z } from "zod";
import { GraphFailure } from "./errors.ts";
import type { HostedMailbox } from "./mailboxes.ts";

/** A registered application: its bearer token, its application permissions, and the mailboxes it may reach. */
export const AppRegistration = z.strictObject({
  appId: z.string().min(1),
  token: z.string().min(1),
  roles: z.array(z.string()),
  /** Mailbox ids or user principal names; absent for all. @doc RBAC for Applications. */
  mailboxes: z.array(z.string()).optional(),
  /** Whether the token is a signed-in user's, and the roles are delegated permissions. */
  delegated: z.boolean().optional(),
});
export type AppRegistration = z.infer<typeof AppRegistration>;

export interface Apps {
  readonly authenticate: (authorization: string | undefined) => AppRegistration;
  readonly add: (app: AppRegistration) => void;
}

/** Permissions that open a call: any one of them. @doc Microsoft Graph permissions reference (data of 2026-08). */
export const ROLES = {
  readFolders: ["MailboxFolder.Read.All", "MailboxFolder.ReadWrite.All"],
  writeFolders: ["MailboxFolder.ReadWrite.All"],
  readItems: ["MailboxItem.Read.All", "MailboxItem.ReadWrite.All"],
  deleteItems: ["MailboxItem.ReadWrite.All"],
  exportItems: ["MailboxItem.Export.All", "MailboxItem.ImportExport.All"],
  importItems: ["MailboxItem.ImportExport.All"],
  readUsers: ["User.Read.All", "User.ReadWrite.All"],
  /** Delegated permissions. */
  translateIds: ["User.ReadBasic.All", "User.Read.All", "User.ReadWrite.All"],
  readSettings: ["MailboxSettings.Read", "MailboxSettings.ReadWrite"],
  readMembers: ["GroupMember.Read.All", "Group.Read.All"],
  /** @doc The page asks for User.Read.All too where an operation is read; the permissions data for either. */
  exportPersonalData: ["User.Export.All"],
} as const;

/** An app that may do everything; the emulator's default. */
export const ALL_ROLES_APP: AppRegistration = {
  appId: "11111111-2222-4333-8444-555555555555",
  token: "emulator-token",
  roles: [
    "MailboxFolder.ReadWrite.All",
    "MailboxItem.ReadWrite.All",
    "MailboxItem.ImportExport.All",
    "User.Read.All",
    "MailboxSettings.Read",
    "GroupMember.Read.All",
    "User.Export.All",
  ],
};

/** @observed 401 with `InvalidAuthenticationToken` and a challenge. */
export const registeredApps = (apps: readonly AppRegistration[]): Apps => {
  const byToken = new Map(apps.map((app) => [app.token, app]));
  return {
    add: (app) => void byToken.set(app.token, app),
    authenticate: (authorization) => {
      const [, token] = /^Bearer\s+(\S+)$/i.exec(authorization ?? "") ?? [];
      const app = token === undefined ? undefined : byToken.get(token);
      if (app !== undefined) return app;
      const message = token === undefined ? "Access token is empty." : "Access token validation failure.";
      const challenge = `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"`;
      throw new GraphFailure(401, "InvalidAuthenticationToken", message, {
        headers: { "www-authenticate": challenge },
      });
    },
  };
};

/** @observed The two codes: Exchange endpoints and directory endpoints differ. */
export const requireRole = (app: AppRegistration, roles: readonly string[], area: "mailbox" | "directory"): void => {
  if (roles.some((role) => app.roles.includes(role))) return;
  throw area === "mailbox"
    ? new GraphFailure(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    : new GraphFailure(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.");
};

export const requireScope = (app: AppRegistration, mailbox: HostedMailbox): void => {
  if (app.mailboxes === undefined) return;
  const names = [mailbox.id, mailbox.user.userPrincipalName].map((name) => name.toLowerCase());
  if (app.mailboxes.some((scoped) => names.includes(scoped.toLowerCase()))) return;
  throw new GraphFailure(403, "ErrorAccessDenied", "Access to this mailbox is denied for the application.");
};
