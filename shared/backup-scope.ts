import * as z from "zod";

/**
 * Whose mailboxes to back up: those of all users of the directory, of all licensed ones, of a group's members, or of
 * the users in a list.
 */
export type BackupScope = "all" | "licensed" | { readonly group: string } | readonly string[];

const split = (text: string): string[] => text.split(",").map((entry) => entry.trim());

/** Entries between commas; none for an empty text. */
export const Entries = z.string().transform((text) => split(text).filter((entry) => entry !== ""));

const KEYWORDS: readonly string[] = ["all", "licensed"];

const Names = z
  .string()
  .transform(split)
  .refine((names) => names.every((name) => name !== "" && !KEYWORDS.includes(name) && !name.startsWith("group:")));

const Group = z.templateLiteral(["group:", z.guid()]).transform((text) => ({ group: text.slice("group:".length) }));

/** The setting `BACKUP_SCOPE`. */
export const BackupScope = z.string().transform((text, context): BackupScope => {
  const parsed = z.union([z.enum(["all", "licensed"]), Group, Names]).safeParse(text.trim());
  if (parsed.success) return parsed.data;
  context.addIssue(
    "should be 'all', 'licensed', 'group:' with the id of a group, or user ids or principal names separated by commas",
  );
  return z.NEVER;
});

const isEscaped = (text: string): boolean => {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
};

/** The setting `BACKUP_EXCLUDE_FOLDERS`. */
export const FolderEntries = Entries.refine((entries) => entries.every(isEscaped), {
  error:
    "should be well-known names or paths of folders separated by commas, with %2C for a comma and %25 for a percent",
});
