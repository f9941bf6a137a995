import type { Timer } from "@azure/functions";

/** The argument of a timer function. */
export const aTimer: Timer = {
  isPastDue: false,
  schedule: { adjustForDST: false },
  scheduleStatus: { last: "", next: "", lastUpdated: "" },
};
