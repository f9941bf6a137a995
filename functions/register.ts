import type { EventGridHandler, TimerHandler } from "@azure/functions";
import type { ActivityHandler, OrchestrationHandler } from "durable-functions";
import type { Config } from "../shared/config.ts";
import type { ActivityContract } from "../shared/durable/activity.ts";
import type { SignedInHandler } from "../shared/http/guard.ts";
import type { ENDPOINTS } from "./endpoints.ts";
import type { Orchestrator } from "./jobs.ts";
import type { Services } from "./services.ts";

/** How a feature registers its functions. Those that start or look at jobs get the client of the task hub. */
export interface Register {
  /** An endpoint, by its name in the table of endpoints, which has its route and its callers. */
  http(name: keyof typeof ENDPOINTS, handler: SignedInHandler): void;
  /** `schedule` is a six-field NCRONTAB expression in UTC, or `%SETTING%`, which the host reads. */
  timer(name: string, schedule: string, handler: TimerHandler): void;
  timerWithoutHub(name: string, schedule: string, handler: TimerHandler): void;
  event(name: string, handler: EventGridHandler): void;
  /** An orchestrator, by its name in the table of jobs. */
  orchestrator(name: Orchestrator, handler: OrchestrationHandler): void;
  activity(contract: ActivityContract, handler: ActivityHandler): void;
  activityWithHub(contract: ActivityContract, handler: ActivityHandler): void;
}

/** Registers the functions of one feature. */
export type Feature = (register: Register, services: Services, config: Config) => void;
