import type { Timer } from "@azure/functions";

/** What the host tells a timer function. */
export const aTimer: Timer = {
  isPastDue: false,
  schedule: { adjustForDST: false },
  scheduleStatus: { last: "", next: "", lastUpdated: "" },
};
