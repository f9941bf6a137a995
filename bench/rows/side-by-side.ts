import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BlobServiceClient } from "@azure/storage-blob";
import * as z from "zod";
import { aMailbox, type BenchStack, graphPlace, onlyMailbox, withStack } from "../bench-stack.ts";
import { buildStrawman } from "../build-strawman.ts";
import { exportBatch, itemBatches } from "../graph-script.ts";
import type { Bench, Measurement, Row } from "../measurement.ts";
import { appProcesses, peakMemoryMib } from "../memory.ts";
import { backUp, runOrchestration } from "../orchestration.ts";
import { activitiesMemory, activitiesRate, oursMemory, oursRate, scriptRate } from "../targets.ts";

const RATES = { items: 6_000, bytes: 10_000, latencyMs: 250 };
const MEMORY = { items: 400, bytes: 1_000_000, latencyMs: 0 };

type Case = typeof RATES;

/** One way of backing up the only mailbox of a stack; returns its duration. */
type Way = (measured: BenchStack, items: number) => Promise<number>;

interface Figures {
  readonly itemsPerSecond: number;
  readonly memoryMib: number;
}

const ours: Way = async (measured, items) => (await backUp(measured.stack, onlyMailbox(measured), items)).seconds;

/** Lists, exports and stores 20 items, then the next. */
const script: Way = async (measured, items) => {
  const { stack } = measured;
  const place = graphPlace(stack);
  const vault = BlobServiceClient.fromConnectionString(stack.connectionString).getContainerClient("vault");
  const { id } = onlyMailbox(measured);
  const started = performance.now();
  let exported = 0;
  for await (const ids of itemBatches(place, id)) {
    const body = Buffer.concat(await exportBatch(place, id, ids));
    await vault.getBlockBlobClient(`script/${exported}`).upload(body, body.length);
    exported += ids.length;
  }
  if (exported !== items) throw new Error(`The script exported ${exported} of ${items} items`);
  return (performance.now() - started) / 1000;
};

const fanOut: Way = async (measured, items) => {
  const input = { mailboxId: onlyMailbox(measured).id };
  const { seconds, output } = await runOrchestration(measured.stack, "fan-out-backup", "fan-out", input);
  if (z.int().parse(output) !== items) throw new Error(`The fan-out exported ${String(output)} of ${items} items`);
  return seconds;
};

const measureWay = (bench: Bench, { items, bytes, latencyMs }: Case, way: Way, appDir?: string): Promise<Figures> => {
  const options = { mailboxes: [aMailbox("ada", items, bytes)], latencyMs };
  return withStack(bench, { ...options, ...(appDir === undefined ? {} : { appDir }) }, async (measured) => {
    const [pid = 0] = await appProcesses(measured.stack);
    const seconds = await way(measured, items);
    return { itemsPerSecond: items / seconds, memoryMib: await peakMemoryMib(pid) };
  });
};

/** Compares with what somebody would do without this app: the same mailbox, the same Graph, the same storage. */
export const sideBySide: Measurement = {
  rows: [oursRate, scriptRate, activitiesRate, oursMemory, activitiesMemory],
  measure: async (bench) => {
    const strawman = await mkdtemp(join(tmpdir(), "mailbox-vault-strawman-"));
    try {
      await buildStrawman(strawman);
      const values = new Map<Row, number>();
      const { items, latencyMs } = RATES;
      bench.say(`Backing up ${items} items at ${latencyMs / 1000} s a request in three ways`);
      values.set(oursRate, (await measureWay(bench, RATES, ours)).itemsPerSecond);
      values.set(scriptRate, (await measureWay(bench, RATES, script)).itemsPerSecond);
      values.set(activitiesRate, (await measureWay(bench, RATES, fanOut, strawman)).itemsPerSecond);
      bench.say(`Backing up ${MEMORY.items} items of 1 MB in two ways`);
      values.set(oursMemory, (await measureWay(bench, MEMORY, ours)).memoryMib);
      values.set(activitiesMemory, (await measureWay(bench, MEMORY, fanOut, strawman)).memoryMib);
      return values;
    } finally {
      await rm(strawman, { recursive: true, force: true });
    }
  },
};
