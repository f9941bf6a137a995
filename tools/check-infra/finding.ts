/** Something wrong, and where: one line for a person. */
export interface Finding {
  readonly file: string;
  readonly line?: number;
  readonly message: string;
}

export const finding = (file: string, message: string, line?: number): Finding => ({
  file,
  message,
  ...(line !== undefined && { line }),
});

export const lineOf = ({ file, line, message }: Finding): string =>
  line === undefined ? `${file}: ${message}` : `${file}:${line}: ${message}`;
