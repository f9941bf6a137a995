import { z } from "zod";
import type { GeneratedOptions } from "./generated-mailbox.ts";
import { guidOf } from "./ids.ts";
import type { SeedUser } from "./seed.ts";

const Purpose = z.enum(["user", "linked", "shared", "room", "equipment", "others"]).default("user");

const User = {
  userPrincipalName: z.string().min(3),
  displayName: z.string().optional(),
  /** A directory object id; made from the user principal name when absent. */
  userId: z.string().optional(),
  accountEnabled: z.boolean().default(true),
  licensed: z.boolean().default(true),
};

const Sizes = z.union([
  z.strictObject({ fixed: z.int().positive() }),
  z.strictObject({
    median: z.int().positive(),
    mean: z.int().positive(),
    min: z.int().positive().default(1024),
    max: z.int().positive().default(150_000_000),
  }),
]);

const Generated = {
  /** Another seed, another content; the user principal name when absent. */
  seed: z.string().optional(),
  items: z.int().nonnegative().default(200),
  userFolders: z.int().nonnegative().default(6),
  layout: z.enum(["typical", "inbox-only"]).default("typical"),
  bytes: Sizes.default({ median: 24_000, mean: 75_000, min: 1024, max: 150_000_000 }),
  until: z.iso.datetime().default("2026-09-01T00:00:00.000Z"),
  years: z.number().positive().default(4),
};

const Archive = z.strictObject({
  ...Generated,
  /** Keys of folders that live in an auxiliary archive with all that is below them, such as `user-0`. */
  auxiliaryFolders: z.array(z.string()).default([]),
});

/** A mailbox to make: computed, or read from Outlook files by the loader that the emulator was started with. */
export const MailboxSpec = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("generated"),
    ...User,
    ...Generated,
    purpose: Purpose,
    archive: Archive.optional(),
  }),
  z.strictObject({ kind: z.literal("outlook"), ...User, purpose: Purpose, files: z.array(z.string().min(1)).min(1) }),
]);
export type MailboxSpec = z.infer<typeof MailboxSpec>;

/** A user without a mailbox. */
export const UserSpec = z.strictObject(User);
export type UserSpec = z.infer<typeof UserSpec>;

export const seedUser = (spec: UserSpec): SeedUser => {
  const name = spec.userPrincipalName.split("@")[0] ?? "";
  return {
    id: spec.userId ?? guidOf(`user ${spec.userPrincipalName.toLowerCase()}`),
    userPrincipalName: spec.userPrincipalName,
    displayName:
      spec.displayName ?? name.replace(/(^|[._-])(\w)/g, (_, gap, letter) => (gap && " ") + letter.toUpperCase()),
    mail: spec.userPrincipalName,
    accountEnabled: spec.accountEnabled,
    licensed: spec.licensed,
  };
};

type GeneratedSpec = Omit<GeneratedOptions, "user" | "seed"> & { readonly seed?: string | undefined };

export const generatedOptions = (spec: GeneratedSpec, user: SeedUser, part: string): GeneratedOptions => ({
  seed: `${spec.seed ?? user.userPrincipalName} ${part}`,
  user,
  items: spec.items,
  userFolders: spec.userFolders,
  layout: spec.layout,
  bytes: spec.bytes,
  until: spec.until,
  years: spec.years,
});
