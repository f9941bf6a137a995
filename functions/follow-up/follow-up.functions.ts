import type { Feature } from "../register.ts";
import { followUpSnapshot } from "./follow-up-snapshot.orchestrator.ts";
import { snapshotWritten } from "./snapshot-written.event.ts";

export const followUpFunctions: Feature = (register, { backup }, { followUp: { eventSource: source } }) => {
  register.event("snapshot-written", snapshotWritten({ ...backup, source }));

  register.orchestrator("follow-up-snapshot", followUpSnapshot);
};
