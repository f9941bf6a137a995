import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BicepFile, DeployedStatement } from "./bicep/ast.ts";
import { parseBicep } from "./bicep/parse.ts";
import { BicepSyntaxError } from "./bicep/scanner.ts";
import { type Finding, finding } from "./finding.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The files of the project. A test may give some of them another text, to see what is found then. */
export interface Project {
  /** Every template and parameter file that could be read. */
  readonly bicep: readonly BicepFile[];
  /** The files that could not be parsed. */
  readonly unreadable: readonly Finding[];
  /** A file's text. @throws when there is none */
  text(path: string): string;
  /** Paths of the files below a folder, in order. */
  list(folder: string): readonly string[];
}

/** A template's resource or module, and its file. */
export interface Deployed {
  readonly file: string;
  readonly statement: DeployedStatement;
}

/** Parsed files by path and text: a process may check the same ones many times. */
const parsed = new Map<string, BicepFile>();

const parseOnce = (path: string, text: string): BicepFile => {
  const key = `${path}\n${text}`;
  const file = parsed.get(key) ?? parseBicep(path, text);
  parsed.set(key, file);
  return file;
};

export const openProject = (changed: Readonly<Record<string, string>> = {}): Project => {
  const text = (path: string): string => changed[path] ?? readFileSync(join(ROOT, path), "utf8");
  const list = (folder: string): readonly string[] =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
      .sort();

  const bicep: BicepFile[] = [];
  const unreadable: Finding[] = [];
  for (const path of list("infra").filter((name) => /\.bicep(param)?$/.test(name))) {
    try {
      bicep.push(parseOnce(path, text(path)));
    } catch (error) {
      if (!(error instanceof BicepSyntaxError)) throw error;
      unreadable.push(finding(path, error.at, error.message));
    }
  }
  return { bicep, unreadable, text, list };
};

/** The resources of one type that the templates deploy, without `existing` ones. */
export const deployed = (project: Project, type: string): Deployed[] =>
  project.bicep.flatMap(({ path, statements }) =>
    statements
      .filter((statement) => statement.kind === "resource" && !statement.existing)
      .map((statement) => ({ file: path, statement: statement as DeployedStatement }))
      .filter(({ statement }) => typeOf(statement) === type.toLowerCase()),
  );

/** A resource's type in lower case: Azure ignores the case. */
export const typeOf = ({ what }: DeployedStatement): string => (what.split("@")[0] ?? "").toLowerCase();
