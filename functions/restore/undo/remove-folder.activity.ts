import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { implementThroughOutages } from "../../../shared/durable/through-outages.ts";
import { removeFolder as deleteFolder } from "../../../shared/graph/folders.ts";
import type { GraphClient } from "../../../shared/graph/graph-client.ts";
import { GraphError } from "../../../shared/graph/graph-error.ts";
import { mailboxGates } from "../../../shared/graph/mailbox-gate.ts";
import { semaphore } from "../../../shared/graph/semaphore.ts";
import { serverClock } from "../../../shared/graph/server-clock.ts";
import { outageOf } from "../../../shared/outage.ts";
import { strangersIn } from "./strangers.ts";
import { goOnSurveying, isTouched, readTree, topOf } from "./survey-folder.ts";
import { type Holds, type UndoDeps, underHolds } from "./under-holds.ts";
import { type FolderOutcome, removeFolder } from "./undo.contract.ts";
import {
  type FolderVerdict,
  findVerdict,
  isRemovalNoted,
  keepVerdict,
  noteRemoval,
  type SurveyedTree,
} from "./undo-state.ts";

/** Beyond the survey's time: for the folders of the mailbox, and for the removal. */
const GRAPH_DEADLINE_MS = 120_000;

/** A survey that ended longer ago is made anew before the folder goes. Our own choice. */
const FRESH_MS = 15 * 60_000;

/** Surveys until a folder that goes on changing is left alone. Our own choice. */
const MAX_SURVEYS = 3;

type Input = z.output<typeof removeFolder.input>;
type Output = z.input<typeof removeFolder.output>;

/**
 * Surveys the folder that a restore made for itself, and deletes it when all that is in it is what the restore brought.
 * What somebody puts into it between the last look and the deletion, which follow each other at once, goes with it.
 *
 * Run twice, the first verdict stands. A folder that is gone after its removal was noted was removed by this undo.
 */
export const removeFolderActivity = (deps: UndoDeps): ActivityHandler =>
  implementThroughOutages(
    removeFolder,
    async (input): Promise<Output> =>
      (await underHolds(deps, input, (held) => dealWithFolder(deps, input, held))) ?? {
        survey: input.survey,
        notHeld: true,
      },
  );

const dealWithFolder = async (deps: UndoDeps, input: Input, { isHeld, told }: Holds): Promise<Output> => {
  const { work, ledgers, gates = mailboxGates() } = deps;
  const { undoId, restoreId, mailbox, survey, budgetMs, dryRun } = input;
  const known = await findVerdict(work, undoId);
  if (known !== undefined) return { survey, outcome: known.outcome };

  const deadline = Date.now() + budgetMs;
  const untilMs = deadline + GRAPH_DEADLINE_MS;
  const clock = serverClock();
  const gate = gates.of(mailbox.key);
  const graph = deps.openGraph({ untilMs, slots: semaphore(1), isHeld, gate, stopping: told, answered: clock.note });
  const { tree, isWhole, at } = await goOnSurveying({ graph, work, clock }, input, deadline);
  if (!isWhole) return { survey };

  const { strangers, isAsImported } = await strangersIn({ work, ledgers }, input, tree);
  const { displayName } = await topOf(work, restoreId);
  const end = async (outcome: FolderOutcome, why: Partial<FolderVerdict> = {}): Promise<Output> => {
    const { folderId } = tree;
    const verdict = { outcome, ...(folderId !== undefined && { folderId }), displayName, ...strangers, survey, ...why };
    return { survey, outcome: (await keepVerdict(work, undoId, verdict)).outcome };
  };

  const now = dryRun || tree.folderId === undefined ? tree : await readTree({ graph, work, clock }, input);
  // Asked after the look: another delivery may have removed it meanwhile.
  if (now.folderId === undefined) return end((await isRemovalNoted(work, undoId)) ? "removed" : "already-gone");
  if (strangers.lookAt.length > 0) return end("kept");
  if (dryRun) return end("removable");
  if (Date.now() > at + FRESH_MS || !isSame(tree, now) || (await isTouched(graph, mailbox, tree, isAsImported)))
    return survey + 1 < MAX_SURVEYS ? { survey: survey + 1 } : end("kept", { isChanging: true });

  await noteRemoval(work, undoId, now.folderId);
  const code = await refusalOf(graph, input, now.folderId);
  return code === undefined ? end("removed") : end("refused", { code });
};

const isSame = (one: SurveyedTree, other: SurveyedTree): boolean => {
  const items = new Map(other.folders.map((folder) => [folder.id, folder.items]));
  return items.size === one.folders.length && one.folders.every((folder) => items.get(folder.id) === folder.items);
};

/** Deletes the folder; Exchange's code when it refuses. */
const refusalOf = async (
  graph: GraphClient,
  { mailbox }: Pick<Input, "mailbox">,
  folderId: string,
): Promise<string | undefined> => {
  try {
    await deleteFolder(graph, mailbox, folderId);
    return undefined;
  } catch (error) {
    if (!(error instanceof GraphError) || outageOf(error) !== undefined || error.status === 401) throw error;
    return error.code || `status-${error.status}`;
  }
};
