import { isBrokenAnswer } from "../../../shared/graph/broken-answer.ts";
import { findPerson } from "../../../shared/graph/directory.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import { GraphError } from "../../../shared/graph/graph-error.ts";
import type { MailboxUser } from "../../../shared/vault/manifest.ts";

/** How long a commit waits for the directory: what it says is worth no more. */
const DEADLINE_MS = 10_000;

/**
 * Whose mailbox it is, by the directory as it is now; where that does not answer, or has forgotten them, by what was
 * known `before`. The commit asks itself: names that another step passed on would stand in the task hub's history, and
 * the queue of a night has only those who were backed up in one.
 */
export const mailboxUser = async (
  openGraph: OpenGraph,
  userId: string,
  before: MailboxUser | undefined,
): Promise<MailboxUser> => {
  const known = before?.id === userId ? before : { id: userId };
  try {
    const person = await findPerson(openGraph({ untilMs: Date.now() + DEADLINE_MS }), userId);
    return person === undefined ? known : { ...person, id: userId };
  } catch (error) {
    if (!(error instanceof GraphError || isBrokenAnswer(error))) throw error;
    return known;
  }
};

/** Whether nothing is known of a person but their id. */
export const isNameless = (user: MailboxUser | undefined): boolean =>
  user?.displayName === undefined && user?.primaryAddress === undefined;
