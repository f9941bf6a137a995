import type { Feature } from "../register.ts";
import { checkPersonalDataExportActivity } from "./check-personal-data-export.activity.ts";
import { copyMailboxDataActivity } from "./copy-mailbox-data.activity.ts";
import { deletePersonalDataExport } from "./delete-personal-data-export.http.ts";
import { exportPersonalData } from "./export-personal-data.orchestrator.ts";
import { getPersonalDataExport } from "./get-personal-data-export.http.ts";
import { getPersonalDataFile } from "./get-personal-data-file.http.ts";
import { listPersonalDataActivity } from "./list-personal-data.activity.ts";
import {
  checkPersonalDataExport,
  copyMailboxData,
  listPersonalData,
  requestPersonalDataExport,
} from "./personal-data.contract.ts";
import { personalDataWritten } from "./personal-data-written.event.ts";
import { requestPersonalDataExportActivity } from "./request-personal-data-export.activity.ts";
import { startPersonalDataExport } from "./start-personal-data-export.http.ts";

export const personalDataFunctions: Feature = (register, { privacy }, config) => {
  const { archives, laneBudgetMs } = config.backup;
  const { timeoutMs, deadlineMs } = config.personalData;
  register.http("start-personal-data-export", startPersonalDataExport({ ...privacy, archives, timeoutMs }));
  register.http("get-personal-data-export", getPersonalDataExport({ ...privacy, deadlineMs }));
  register.http("get-personal-data-file", getPersonalDataFile(privacy));
  register.http("delete-personal-data-export", deletePersonalDataExport(privacy));
  register.event(
    "personal-data-written",
    personalDataWritten({ ...privacy, source: config.followUp.packageEventSource }),
  );

  register.orchestrator("export-personal-data", exportPersonalData);
  register.activity(requestPersonalDataExport, requestPersonalDataExportActivity(privacy));
  register.activity(checkPersonalDataExport, checkPersonalDataExportActivity(privacy));
  register.activity(copyMailboxData, copyMailboxDataActivity({ ...privacy, laneBudgetMs }));
  register.activity(listPersonalData, listPersonalDataActivity({ ...privacy, laneBudgetMs }));
};
