import type { Feature } from "../register.ts";
import { cleanMailbox } from "./clean-mailbox.orchestrator.ts";
import { cleanVault } from "./clean-vault.orchestrator.ts";
import { compactMailboxActivity } from "./compact-mailbox.activity.ts";
import { nightlyRetention, RETENTION_SCHEDULE } from "./nightly-retention.timer.ts";
import { retainMailboxActivity } from "./retain-mailbox.activity.ts";
import { retainMailboxesActivity } from "./retain-mailboxes.activity.ts";
import { compactMailbox, retainMailbox, retainMailboxes } from "./retention.contract.ts";
import { startRetention } from "./start-retention.http.ts";

export const retentionFunctions: Feature = (
  register,
  { backup, retention },
  { retention: policy, backup: { laneBudgetMs } },
) => {
  const deps = { ...backup, remove: retention.remove, policy, laneBudgetMs };
  register.timer("nightly-retention", RETENTION_SCHEDULE, nightlyRetention(deps));
  register.http("start-retention", startRetention(deps));

  register.orchestrator("clean-vault", cleanVault);
  register.orchestrator("clean-mailbox", cleanMailbox);
  register.activity(compactMailbox, compactMailboxActivity(backup));
  register.activityWithHub(retainMailbox, retainMailboxActivity(deps));
  register.activityWithHub(retainMailboxes, retainMailboxesActivity(deps));
};
