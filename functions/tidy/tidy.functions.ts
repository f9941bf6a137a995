import type { Feature } from "../register.ts";
import { nightlyTidy, TIDY_SCHEDULE } from "./nightly-tidy.timer.ts";
import { tidyScratch } from "./tidy.contract.ts";
import { tidyScratchActivity } from "./tidy-scratch.activity.ts";
import { tidyWork } from "./tidy-work.orchestrator.ts";

export const tidyFunctions: Feature = (register, { backup }, { backup: { laneBudgetMs: budgetMs } }) => {
  register.timer("nightly-tidy", TIDY_SCHEDULE, nightlyTidy(backup));
  register.orchestrator("tidy-work", tidyWork);
  register.activityWithHub(tidyScratch, tidyScratchActivity({ ...backup, budgetMs }));
};
