import { z } from "zod";
import { GraphFailure } from "../errors.ts";
import type { Settings } from "../settings.ts";
import { openJournal } from "../state/journal.ts";
import { exportFile } from "./export-files.ts";
import { containerAt } from "./storage-checks.ts";

const Status = z.enum(["notStarted", "running", "complete", "failed"]);

/** One export of one person. */
const Operation = z.object({
  id: z.string(),
  userId: z.string(),
  storageLocation: z.string(),
  submitted: z.number(),
  status: Status,
  /** Files written so far. */
  written: z.int().nonnegative(),
  /** Files that it will have. */
  files: z.int().nonnegative(),
  outcome: z.enum(["complete", "failed"]),
  completed: z.number().optional(),
});
export type Operation = z.infer<typeof Operation>;

/** The exports of the tenant, under way and ended. */
export interface PersonalDataExports {
  /** @throws {GraphFailure} 429 when the day's exports of the person, or of the tenant, are used up. */
  readonly admit: (userId: string) => void;
  readonly start: (operation: Pick<Operation, "id" | "userId" | "storageLocation">) => Operation;
  /** @throws {GraphFailure} 429 when the hour's reads are used up. */
  readonly read: (id: string) => Operation | undefined;
  readonly all: () => readonly Operation[];
  /** Moves every export that is under way on by so many steps, for those who do not want to wait. */
  readonly step: (steps: number) => Promise<void>;
  readonly close: () => void;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** @doc 429 comes without Retry-After. @guess Its code, and that only exports which were accepted count. */
const tooMany = () => new GraphFailure(429, "TooManyRequests", "Too many requests.");

const isOpen = ({ status }: Operation): boolean => status === "notStarted" || status === "running";

/**
 * Writes the files of each export, one a step, over time: nobody has to ask for it. With a journal, exports go on where
 * they were after a restart.
 */
export const personalDataExports = (
  settings: () => Settings,
  now: () => number,
  file: string | undefined,
): PersonalDataExports => {
  const kept = file === undefined ? undefined : openJournal(file, Operation);
  const operations = new Map((kept?.entries ?? []).map((operation) => [operation.id, operation]));
  const timers = new Set<NodeJS.Timeout>();
  let reads: number[] = [];
  let closed = false;

  /** What a step did while the emulator was stopped is done again after its next start. */
  const save = (operation: Operation): Operation => {
    if (closed) return operation;
    operations.set(operation.id, operation);
    kept?.journal.append(operation);
    return operation;
  };

  const step = async (id: string): Promise<void> => {
    const operation = operations.get(id);
    if (operation === undefined || !isOpen(operation)) return;
    if (operation.status === "notStarted") return void save({ ...operation, status: "running" });
    const most = operation.outcome === "failed" ? Math.floor(operation.files / 2) : operation.files;
    if (operation.written >= most) return void save({ ...operation, status: operation.outcome, completed: now() });
    const isWritten = await write(operation);
    save(
      isWritten
        ? { ...operation, written: operation.written + 1 }
        : { ...operation, status: "failed", completed: now() },
    );
  };

  const goOn = (id: string): void => {
    const { exportStepMs } = settings().behaviours;
    if (exportStepMs === 0) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      void step(id).then(() => {
        const operation = operations.get(id);
        if (!closed && operation !== undefined && isOpen(operation)) goOn(id);
      });
    }, exportStepMs);
    timers.add(timer.unref());
  };

  const since = (ms: number) => [...operations.values()].filter(({ submitted }) => submitted > now() - ms);

  for (const operation of operations.values()) if (isOpen(operation)) goOn(operation.id);
  return {
    admit: (userId) => {
      const { enabled, maxExportsOfUser, maxExportsOfTenant } = settings().limits;
      const today = since(DAY_MS);
      const ofUser = today.filter((operation) => operation.userId === userId);
      if (enabled && (ofUser.length >= maxExportsOfUser || today.length >= maxExportsOfTenant)) throw tooMany();
    },
    start: (asked) => {
      const { exportFiles, exportOutcome } = settings().behaviours;
      const operation = save({
        ...asked,
        submitted: now(),
        status: "notStarted",
        written: 0,
        files: exportFiles,
        outcome: exportOutcome,
      });
      goOn(operation.id);
      return operation;
    },
    read: (id) => {
      const { enabled, maxOperationReads } = settings().limits;
      reads = reads.filter((at) => at > now() - HOUR_MS);
      if (enabled && reads.length >= maxOperationReads) throw tooMany();
      reads.push(now());
      return operations.get(id);
    },
    all: () => [...operations.values()],
    step: async (steps) => {
      for (let n = 0; n < steps; n += 1) for (const id of operations.keys()) await step(id);
    },
    close: () => {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
      kept?.journal.close();
    },
  };
};

/** False when the storage does not take the file any more: its SAS has expired, or the container is gone. @guess */
const write = async ({ userId, storageLocation, written }: Operation): Promise<boolean> => {
  const { name, content } = exportFile(userId, written);
  const blob = containerAt(storageLocation).getAppendBlobClient(name);
  try {
    await blob.create();
    await blob.appendBlock(content, content.length);
    return true;
  } catch {
    return false;
  }
};
