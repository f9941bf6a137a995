import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { mailboxesOf } from "../../shared/mailboxes.ts";
import type { aMailboxInGraph } from "./kit.ts";

/** An archive in which one folder, with those below it, lies in an auxiliary archive. */
export const anExpandedArchive = {
  items: 60,
  userFolders: 4,
  bytes: { fixed: 500 },
  auxiliaryFolders: ["user-0"],
};

/** The archive as a backup finds it. */
export const archiveOf = async ({
  openGraph,
  mailbox,
}: Pick<Awaited<ReturnType<typeof aMailboxInGraph>>, "openGraph" | "mailbox">): Promise<MailboxRef> => {
  const graph = openGraph({ untilMs: Date.now() + 600_000 });
  const archive = (await mailboxesOf(graph, mailbox.userId, { archives: true })).find(({ kind }) => kind === "archive");
  if (archive === undefined) throw new Error("The user has no archive");
  return archive;
};
