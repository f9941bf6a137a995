import type { ActivityHandler } from "durable-functions";
import { type AuditLog, MAX_IDS, type RestoreRequested } from "../../shared/audit/audit-log.ts";
import { rehearsalInstance, restoreInstance } from "../../shared/contracts/job-ids.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { findMailbox } from "../../shared/mailboxes.ts";
import { NOBODY } from "../../shared/security/principal.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { openRehearsal, type Rehearsal } from "./rehearsal.contract.ts";
import { keepRehearsalPlan } from "./rehearsal-plan.ts";
import { type MailboxSample, sampleVault } from "./rehearsal-sample.ts";
import { noteOpenRehearsal, openRehearsals } from "./rehearsal-state.ts";
import { removeRehearsal } from "./remove-rehearsal.ts";

/** How long the clean-up waits for Graph before the task hub takes over. */
const GRAPH_DEADLINE_MS = 120_000;

/**
 * Removes what ended rehearsals left behind, then takes the day's sample and plans its restore. The restore is in the
 * audit log before any mail moves, and its folder is noted before it is made.
 *
 * Run twice, it takes the same sample, and the first plan stands.
 */
export const openRehearsalActivity = (deps: {
  readonly clientOf: ClientOf;
  readonly openGraph: OpenGraph;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly state: Blobs;
  readonly audit: AuditLog;
  /** The user whose mailbox takes rehearsals, by id or principal name. */
  readonly mailbox: string | undefined;
  readonly items: number;
}): ActivityHandler =>
  implement(openRehearsal, async (rehearsal, context) => {
    const { vault, work, state } = deps;
    const graph = deps.openGraph({ untilMs: Date.now() + GRAPH_DEADLINE_MS });
    const mailbox = deps.mailbox && (await findMailbox(graph, vault, deps.mailbox));
    if (!mailbox) throw new Error("The user of REHEARSAL_MAILBOX has no mailbox: check the setting");

    const client = deps.clientOf(context);
    for await (const left of openRehearsals(state)) {
      const isOurs = left.rehearsalId === rehearsal.rehearsalId;
      if (isOurs || isAlive(await findInstance(client, rehearsalInstance(left.date)))) continue;
      await removeRehearsal({ graph, work, state }, left);
    }

    const { rehearsalId, date } = rehearsal;
    const { mailboxes, damaged } = await sampleVault(vault, { seed: date, items: deps.items, except: mailbox.key });
    const folderName = `Restore rehearsal ${date} ${rehearsalId.slice(-6)}`;
    await keepRehearsalPlan(work, rehearsalId, folderName, mailboxes);
    for (const sample of mailboxes) await deps.audit.append("restores", auditEntry(rehearsal, sample, mailbox.key));
    const sample = mailboxes.map(({ mailbox, snapshotId: snapshot, items }) => ({
      mailbox,
      snapshot,
      items: items.length,
    }));
    await noteOpenRehearsal(state, { ...rehearsal, mailbox, folderName, sample, damaged: [...damaged] });
    const items = mailboxes.reduce((sum, sample) => sum + sample.items.length, 0);
    return { mailbox, items, ...(mailboxes[0] ? { snapshotId: mailboxes[0].snapshotId } : {}) };
  });

const auditEntry = (
  { restoreId, date }: Rehearsal,
  { mailbox, snapshotId, items }: MailboxSample,
  into: string,
): RestoreRequested => ({
  event: "restore-requested",
  at: new Date().toISOString(),
  principal: NOBODY.id,
  job: restoreInstance(restoreId),
  mailbox,
  into,
  snapshot: snapshotId,
  selection: { kind: "sample", count: items.length, ids: items.slice(0, MAX_IDS).map(({ id }) => id) },
  target: "new-folder",
  onConflict: "duplicate",
  dryRun: false,
  reason: `the restore rehearsal of ${date}`,
});
