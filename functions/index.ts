import { app } from "@azure/functions";
import { readConfig, secretsIn } from "../shared/config.ts";
import { durableClient } from "../shared/durable/client.ts";
import { activity, activityWithClient, orchestrator } from "../shared/durable/register.ts";
import { ANSWER_MS, answered } from "../shared/http/answered.ts";
import { withinLimit } from "../shared/http/body.ts";
import { guardOf } from "../shared/http/guard.ts";
import { startsOnce } from "../shared/http/idempotency.ts";
import { watchResponses } from "../shared/http/paced-body.ts";
import { principalOf } from "../shared/security/principal.ts";
import { redactError, redactor } from "../shared/security/redact.ts";
import { backupFunctions } from "./backup/backup.functions.ts";
import { tenantProgress } from "./backup/tenant-progress.ts";
import { browseFunctions } from "./browse/browse.functions.ts";
import { coverageFunctions } from "./coverage/coverage.functions.ts";
import { ENDPOINTS, type Endpoint } from "./endpoints.ts";
import { followUpFunctions } from "./follow-up/follow-up.functions.ts";
import { holdsFunctions } from "./holds/holds.functions.ts";
import { idTranslationFunctions } from "./id-translation/id-translation.functions.ts";
import { closingWhenItFails } from "./jobs/closing.steps.ts";
import { jobsFunctions } from "./jobs/jobs.functions.ts";
import { notifyFunctions } from "./notify/notify.functions.ts";
import { personalDataFunctions } from "./personal-data/personal-data.functions.ts";
import type { Feature, Register } from "./register.ts";
import { rehearsalFunctions } from "./rehearsal/rehearsal.functions.ts";
import { listProgress } from "./restore/list-progress.ts";
import { restoreProgress } from "./restore/live-status.ts";
import { restartRestore } from "./restore/request/restart-restore.ts";
import { restoreFunctions } from "./restore/restore.functions.ts";
import { retentionFunctions } from "./retention/retention.functions.ts";
import { openServices } from "./services.ts";
import { slotsFunctions } from "./slots/slots.functions.ts";
import { tidyFunctions } from "./tidy/tidy.functions.ts";
import { uploadsFunctions } from "./uploads/uploads.functions.ts";
import { verifyFunctions } from "./verify/verify.functions.ts";

const config = readConfig();

// The files of a package do not fit into memory: they pass through as streams.
app.setup({ enableHttpStream: true });
watchResponses();

const redact = redactor(secretsIn(config));
app.hook.log((line) => {
  line.message = redact(line.message);
});
app.hook.postInvocation((ended) => {
  // An orchestrator's error carries the state of its turn, which must arrive whole; activities' errors in it are
  // redacted.
  if (ended.invocationContext.options.trigger.type !== "orchestrationTrigger")
    ended.error = redactError(ended.error, redact);
});

const guard = guardOf(principalOf(config.authentication));
const services = openServices(config);
const once = startsOnce(services.backup);
const extraInputs = [durableClient];

const register: Register = {
  http: (name, handler) => {
    const endpoint: Endpoint = ENDPOINTS[name];
    const { method, route, callers, starts, answersWithinMs = ANSWER_MS } = endpoint;
    const guarded = guard(callers, withinLimit(starts ? once(handler) : handler));
    app.http(name, { methods: [method], route, extraInputs, handler: answered(guarded, answersWithinMs) });
  },
  timer: (name, schedule, handler) => app.timer(name, { schedule, extraInputs, handler }),
  timerWithoutHub: (name, schedule, handler) => app.timer(name, { schedule, handler }),
  event: (name, handler) => app.eventGrid(name, { extraInputs, handler }),
  orchestrator: (name, handler) => orchestrator(name, closingWhenItFails(handler)),
  activity,
  activityWithHub: activityWithClient,
};

/** First the features that people call, then those that follow from them, then those that the others use. */
const FEATURES: readonly Feature[] = [
  backupFunctions,
  restoreFunctions,
  personalDataFunctions,
  idTranslationFunctions,
  uploadsFunctions,
  browseFunctions,
  coverageFunctions,
  jobsFunctions(({ restore }) => ({
    progress: {
      "backup-tenant": tenantProgress,
      "restore-mailboxes": listProgress,
      "restore-mailbox": restoreProgress(restore.work),
    },
    restarts: { "restore-mailbox": restartRestore(restore) },
  })),
  followUpFunctions,
  retentionFunctions,
  holdsFunctions,
  verifyFunctions,
  rehearsalFunctions,
  notifyFunctions,
  slotsFunctions,
  tidyFunctions,
];

for (const registerFeature of FEATURES) registerFeature(register, services, config);
