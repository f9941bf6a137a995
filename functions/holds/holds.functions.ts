import type { Feature } from "../register.ts";
import { holdLeaverActivity } from "./hold-leaver.activity.ts";
import { holdLeaver, startLastBackup } from "./leaver.contract.ts";
import { protectLeaver } from "./protect-leaver.orchestrator.ts";
import { releaseHold } from "./release-hold.http.ts";
import { setHold } from "./set-hold.http.ts";
import { startLastBackupActivity } from "./start-last-backup.activity.ts";
import { userChanged } from "./user-changed.event.ts";

export const holdsFunctions: Feature = (register, { backup }, config) => {
  register.http("set-hold", setHold(backup));
  register.http("release-hold", releaseHold(backup));
  register.event("user-changed", userChanged({ ...backup, exclude: config.backup.exclude }));

  register.orchestrator("protect-leaver", protectLeaver);
  register.activity(holdLeaver, holdLeaverActivity({ ...backup, holdDays: config.followUp.leaverHoldDays }));
  register.activityWithHub(startLastBackup, startLastBackupActivity(backup));
};
