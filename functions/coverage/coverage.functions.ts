import type { Feature } from "../register.ts";
import { collectMetDamage } from "../verify/met-damage.ts";
import { scanCoverage, sharedScan } from "./coverage-scan.ts";
import { getCoverage } from "./get-coverage.http.ts";
import { getCoverageMetrics } from "./get-coverage-metrics.http.ts";
import { getHealth } from "./health.http.ts";
import { watchCoverage } from "./watch-coverage.timer.ts";

export const coverageFunctions: Feature = (register, { backup, notifier }, config) => {
  const source = { ...backup, intervalMs: config.backup.intervalMs };
  const scan = sharedScan(() => scanCoverage(source));
  register.http("get-coverage", getCoverage({ ...source, scan }));
  register.http("get-coverage-metrics", getCoverageMetrics({ scan }));
  register.timerWithoutHub(
    "watch-coverage",
    config.followUp.coverageSchedule,
    watchCoverage({ ...source, notifier, scan: () => collectMetDamage(backup).then(() => scanCoverage(source)) }),
  );
  register.http("health", getHealth(backup));
};
