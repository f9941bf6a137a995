import type { Feature } from "../register.ts";
import { closeRehearsalActivity } from "./close-rehearsal.activity.ts";
import { listRehearsals } from "./list-rehearsals.http.ts";
import { openRehearsalActivity } from "./open-rehearsal.activity.ts";
import { closeRehearsal, openRehearsal } from "./rehearsal.contract.ts";
import { rehearseRestore } from "./rehearse-restore.timer.ts";
import { runRehearsal } from "./run-rehearsal.orchestrator.ts";

export const rehearsalFunctions: Feature = (register, { restore }, { followUp: { rehearsal } }) => {
  register.timer("rehearse-restore", rehearsal.schedule, rehearseRestore({ ...restore, mailbox: rehearsal.mailbox }));
  register.http("list-rehearsals", listRehearsals(restore));

  register.orchestrator("run-rehearsal", runRehearsal);
  register.activityWithHub(openRehearsal, openRehearsalActivity({ ...restore, ...rehearsal }));
  register.activity(closeRehearsal, closeRehearsalActivity(restore));
};
