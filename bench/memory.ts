import { readFile } from "node:fs/promises";
import * as z from "zod";
import type { Stack } from "../local/stack/stack.ts";

const Processes = z.object({ processes: z.array(z.object({ processId: z.int().positive() })).min(1) });

/** The processes that run the app. */
export const appProcesses = async ({ hostUrl, hostKey }: Stack): Promise<number[]> => {
  const answer = await fetch(new URL("/admin/host/processes", hostUrl), { headers: { "x-functions-key": hostKey } });
  return Processes.parse(await answer.json()).processes.map(({ processId }) => processId);
};

/** The peak resident memory of a process, in MiB. Only Linux shows it. */
export const peakMemoryMib = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kib === undefined) throw new Error("This system does not show a process's peak memory");
  return Number(kib) / 1024;
};

/** Ticks in which /proc counts CPU time. Source: proc(5), and USER_HZ of every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/** CPU time that a process has used, all of its threads together. Only Linux shows it. */
export const cpuSeconds = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The second field is the name in brackets, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
};
