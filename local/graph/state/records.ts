import { z } from "zod";

/** What an item says of itself; these travel inside its stream. */
export const ItemProperties = z.object({
  type: z.string().min(1),
  subject: z.string().optional(),
  from: z.string().optional(),
  received: z.iso.datetime().optional(),
  internetMessageId: z.string().optional(),
  hasAttachments: z.boolean(),
  searchKey: z.string().regex(/^[0-9a-f]{32}$/),
  categories: z.array(z.string()),
  created: z.iso.datetime(),
});
export type ItemProperties = z.infer<typeof ItemProperties>;

/** Where an item's payload is: in the seed, computed, or in a file that holds a whole imported stream. */
export const Content = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("seed"), folderKey: z.string(), index: z.int() }),
  z.object({ kind: z.literal("generated"), seed: z.int(), bytes: z.int().nonnegative() }),
  z.object({
    kind: z.literal("file"),
    name: z.string(),
    payloadStart: z.int(),
    payloadBytes: z.int(),
    /** The properties are still those of the file: its bytes are the item's stream as they are. */
    verbatim: z.boolean(),
  }),
]);
export type Content = z.infer<typeof Content>;

export const ItemRecord = z.object({
  home: z.int(),
  index: z.int(),
  /** Grows with every move: the id changes with it. */
  generation: z.int(),
  folderKey: z.string(),
  changeNumber: z.int(),
  properties: ItemProperties,
  created: z.iso.datetime(),
  modified: z.iso.datetime(),
  imported: z.boolean(),
  content: Content,
});
export type ItemRecord = z.infer<typeof ItemRecord>;

const RemovalReason = z.enum(["deleted", "changed"]);
export type RemovalReason = z.infer<typeof RemovalReason>;

/** One change of a mailbox above its seed: a line of its journal. */
export const Change = z.discriminatedUnion("op", [
  z.object({ op: z.literal("item"), at: z.number(), record: ItemRecord }),
  z.object({ op: z.literal("item-gone"), at: z.number(), home: z.int(), index: z.int(), reason: RemovalReason }),
  z.object({
    op: z.literal("folder"),
    at: z.number(),
    key: z.string(),
    parentKey: z.string().optional(),
    displayName: z.string(),
    type: z.string(),
    /** These are kept as they were when the folder was created. */
    wellKnownName: z.string().optional(),
    hidden: z.boolean().optional(),
    search: z.boolean().optional(),
  }),
  z.object({ op: z.literal("folder-gone"), at: z.number(), key: z.string() }),
  z.object({ op: z.literal("delta-expired"), at: z.number(), folderKey: z.string().optional() }),
]);
export type Change = z.infer<typeof Change>;
