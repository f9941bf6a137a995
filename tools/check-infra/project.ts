import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { registeredApp } from "./registered-app.ts";
import { type Snapshot, SnapshotFile } from "./snapshot.ts";
import { snapshotPathOf, TARGETS } from "./targets.ts";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A function of the app, by what starts it. */
export interface Registered {
  readonly name: string;
  /** Such as `eventGridTrigger`. */
  readonly trigger: string;
  /** Of a timer. */
  readonly schedule: string | undefined;
}

/** The files of the project. A test may give some of them another text, to see what is found then. */
export interface Project {
  /** A file's text. @throws when there is none */
  text(path: string): string;
  /** Paths of the files below a folder, in order. */
  list(folder: string): readonly string[];
  readonly snapshots: readonly Snapshot[];
  readonly functions: readonly Registered[];
}

const Binding = z.looseObject({ type: z.string(), schedule: z.string().optional() });

/** The functions as the app registers them. */
export const registrations = async (): Promise<Registered[]> => {
  const { functions } = await registeredApp();
  return [...functions.values()].map(({ metadata: { name, bindings } }) => {
    const all = Object.values(bindings).map((binding) => Binding.parse(binding));
    const trigger = all.find(({ type }) => type.endsWith("Trigger"));
    return { name, trigger: trigger?.type ?? "none", schedule: trigger?.schedule };
  });
};

export const openFiles = (changed: Readonly<Record<string, string>> = {}): Pick<Project, "text" | "list"> => ({
  text: (path) => changed[path] ?? readFileSync(join(ROOT, path), "utf8"),
  list: (folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
      .sort(),
});

export const openProject = (
  functions: readonly Registered[],
  changed: Readonly<Record<string, string>> = {},
): Project => {
  const { text, list } = openFiles(changed);
  const snapshots = TARGETS.map((target): Snapshot => {
    const file = snapshotPathOf(target);
    const { predictedResources: resources, outputs } = SnapshotFile.parse(JSON.parse(text(file)));
    return { target, file, resources, outputs };
  });
  return { text, list, snapshots, functions };
};
