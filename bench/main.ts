import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { table } from "../local/demo/screen.ts";
import { StackError } from "../local/stack/child.ts";
import type { Bench, Measurement } from "./measurement.ts";
import { type BenchOptions, readBenchOptions, USAGE } from "./options.ts";
import { cells, type Result, resultOf, unmeasured } from "./result.ts";
import { backupRun } from "./rows/backup-run.ts";
import { bundle } from "./rows/bundle.ts";
import { cancelledRestore } from "./rows/cancelled-restore.ts";
import { deadRun } from "./rows/dead-run.ts";
import { eightAtATime } from "./rows/eight-at-a-time.ts";
import { history } from "./rows/history.ts";
import { MEMORY_CASES, memory } from "./rows/memory.ts";
import { nextRuns } from "./rows/next-runs.ts";
import { oneNewMail } from "./rows/one-new-mail.ts";
import { pipeline } from "./rows/pipeline.ts";
import { quietRun } from "./rows/quiet-run.ts";
import { restoreBesideBackup } from "./rows/restore-beside-backup.ts";
import { LONG_RESTORE_CASES, RESTORE_CASES, restoreRun } from "./rows/restore-run.ts";
import { restoreSideBySide } from "./rows/restore-side-by-side.ts";
import { restoresInOutage } from "./rows/restores-in-outage.ts";
import { retry } from "./rows/retry.ts";
import { sideBySide } from "./rows/side-by-side.ts";
import { throttling } from "./rows/throttling.ts";
import { wholeRun } from "./rows/whole-run.ts";

const THIS_APP = fileURLToPath(new URL("../", import.meta.url));
const RESULTS = fileURLToPath(new URL("results.json", import.meta.url));

const measurements = ({ full, large }: BenchOptions): Measurement[] => [
  bundle,
  backupRun(0.25, { writes: true }),
  backupRun(1, { writes: false }),
  backupRun(2, { writes: false }),
  wholeRun(0.25),
  wholeRun(1),
  nextRuns,
  eightAtATime,
  throttling(1),
  throttling(3),
  ...MEMORY_CASES.map(memory),
  quietRun,
  oneNewMail,
  retry,
  deadRun,
  pipeline,
  sideBySide,
  ...RESTORE_CASES.map(restoreRun),
  ...(full ? LONG_RESTORE_CASES.map(restoreRun) : []),
  restoreSideBySide,
  cancelledRestore,
  restoresInOutage,
  restoreBesideBackup,
  history(full ? large : undefined),
];

/** Measures the requested rows. A measurement that fails is noted in each of its rows, and the next one goes on. */
const measure = async (bench: Bench, { rows, measure }: Measurement, only: string): Promise<Result[]> => {
  const wanted = rows.filter(({ name }) => name.toLowerCase().includes(only.toLowerCase()));
  if (wanted.length === 0) return [];
  try {
    const values = await measure(bench);
    return wanted.map((row) => resultOf(row, values.get(row)));
  } catch (error) {
    const note = error instanceof Error ? error.message : String(error);
    return wanted.map((row) => unmeasured(row, note));
  }
};

const main = async (): Promise<boolean> => {
  const options = readBenchOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return true;
  }
  let stopped = false;
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => {
        stopped = true;
        reject(new Error("stopped early"));
      });
  });
  interrupted.catch(() => undefined);
  const appDir = options.app === undefined ? THIS_APP : resolve(options.app);
  const bench: Bench = { appDir, interrupted, say: (text) => console.error(text) };

  const results: Result[] = [];
  for (const measurement of measurements(options)) {
    if (stopped) break;
    results.push(...(await measure(bench, measurement, options.only)));
    await writeFile(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`);
  }
  if (results.length === 0) throw new StackError(`No row was measured: none has '${options.only}' in its name`);
  console.log(`\n${table(cells(results))}\n`);
  for (const { name, note } of results) if (note !== undefined) console.log(`  ${name}: ${note}`);
  if (options.json) console.log(JSON.stringify(results));
  return results.every(({ ok }) => ok);
};

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  console.error(error instanceof StackError ? error.message : error);
  process.exitCode = 2;
}
