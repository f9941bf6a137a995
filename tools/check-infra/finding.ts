import type { Place } from "./bicep/ast.ts";

/** Something wrong, and where: one line for a person. */
export interface Finding {
  readonly file: string;
  readonly at: Place | undefined;
  readonly message: string;
}

export const finding = (file: string, at: Place | undefined, message: string): Finding => ({ file, at, message });

export const lineOf = ({ file, at, message }: Finding): string =>
  at === undefined ? `${file}: ${message}` : `${file}:${at.line}:${at.column}: ${message}`;
