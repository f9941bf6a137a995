import { createHash, randomBytes, randomUUID } from "node:crypto";
import { z } from "zod";
import { AppRegistration } from "./auth.ts";
import type { CounterReport } from "./counters.ts";
import { FaultRule } from "./faults.ts";
import { generatedMailbox } from "./generated-mailbox.ts";
import { itemStream } from "./item-stream.ts";
import { itemId } from "./item-view.ts";
import {
  changeFolder,
  createFolder,
  FolderChange,
  FolderRemoval,
  folderIn,
  itemIn,
  NewFolder,
  removeFolder,
  removeItem,
} from "./mailbox-acts.ts";
import { generatedOptions, MailboxSpec, seedUser, UserSpec } from "./mailbox-spec.ts";
import type { DirectoryUser, HostedMailbox } from "./mailboxes.ts";
import type { SeedMailbox, SeedUser } from "./seed.ts";
import { type Settings, SettingsPatch } from "./settings.ts";
import { type FolderState, itemCount } from "./state/folder-state.ts";
import type { ItemRecord } from "./state/records.ts";
import type { World } from "./world.ts";

/** Reads Outlook files into a mailbox. */
export type OutlookLoader = (files: readonly string[], user: SeedUser) => SeedMailbox | Promise<SeedMailbox>;

/** What administration needs beyond what requests see. */
export interface AdminContext {
  readonly world: World;
  readonly changeSettings: (patch: SettingsPatch) => Settings;
  readonly loadOutlook?: OutlookLoader | undefined;
  /** Remembers a mailbox for the next start. */
  readonly remember: (spec: MailboxSpec) => void;
}

/** One administrative act: the same through HTTP and in the process. Rejects with a ZodError for bad input. */
export type Operation<Input extends z.ZodType, Output> = (input: z.input<Input>) => Promise<Output>;

const operation =
  <Input extends z.ZodType, Output>(
    schema: Input,
    run: (input: z.output<Input>) => Output | Promise<Output>,
  ): Operation<Input, Output> =>
  async (input) =>
    run(schema.parse(input));

export interface HostedUser {
  readonly userId: string;
  readonly userPrincipalName: string;
  readonly displayName: string;
  readonly purpose: string;
  readonly mailboxId?: string;
  readonly archiveMailboxId?: string;
  readonly auxiliaryMailboxId?: string;
}

export interface ListedFolder {
  readonly id: string;
  readonly key: string;
  readonly parentId?: string;
  readonly displayName: string;
  readonly type: string;
  readonly wellKnownName?: string;
  readonly items: number;
}

/** An item with the SHA-256 of its whole export stream, as it is now. */
export interface ListedItem {
  readonly id: string;
  readonly folderId: string;
  readonly folder: string;
  readonly type: string;
  readonly subject?: string;
  readonly searchKey: string;
  readonly bytes: number;
  readonly sha256: string;
}

const Mailbox = { mailbox: z.string() };
/** A folder by id, key or well-known name. */
const InFolder = { ...Mailbox, folder: z.string() };
const OneItem = { ...Mailbox, item: z.string() };
const ItemDetails = {
  subject: z.string().optional(),
  categories: z.array(z.string()).optional(),
  /** Length of the payload, which is then generated. */
  bytes: z.int().nonnegative().optional(),
};

/** All that administration can do; each also is `POST /__admin/{name}` with its input as JSON. */
export const adminOperations = (context: AdminContext) => {
  const { world } = context;
  const { mailboxes, faults, counters } = world;

  return {
    "add-mailbox": operation(MailboxSpec, async (spec): Promise<HostedUser> => {
      const hosted = await hostSpec(context, spec);
      context.remember(spec);
      return hostedUser(hosted);
    }),
    "add-user": operation(UserSpec, (spec) => mailboxes.addUser(seedUser(spec))),
    "add-app": operation(AppRegistration, (app) => world.apps.add(app)),
    "set-group": operation(z.strictObject({ id: z.string(), members: z.array(z.string()) }), ({ id, members }) =>
      mailboxes.setGroup(id, members),
    ),
    users: operation(z.strictObject({}), (): HostedUser[] => mailboxes.users().map(hostedUser)),
    folders: operation(z.strictObject(Mailbox), ({ mailbox }): ListedFolder[] => listFolders(found(world, mailbox))),
    items: operation(z.strictObject({ ...Mailbox, folder: z.string().optional() }), ({ mailbox, folder }) =>
      listItems(world, found(world, mailbox), folder),
    ),

    "create-folder": operation(NewFolder.extend(Mailbox), ({ mailbox, ...folder }) => ({
      id: createFolder(found(world, mailbox), world.now(), folder),
    })),
    "change-folder": operation(FolderChange.extend(Mailbox), ({ mailbox, ...change }) =>
      changeFolder(found(world, mailbox), world.now(), change),
    ),
    "remove-folder": operation(FolderRemoval.extend(Mailbox), ({ mailbox, ...removal }) =>
      removeFolder(found(world, mailbox), world.now(), removal),
    ),

    "create-items": operation(
      z.strictObject({
        ...InFolder,
        ...ItemDetails,
        count: z.int().positive().default(1),
        type: z.string().optional(),
      }),
      ({ mailbox, folder, count, ...details }) => {
        const target = found(world, mailbox);
        const { key } = folderIn(target, folder);
        const made = Array.from({ length: count }, () => createItem(world, target, key, details));
        return { ids: made.map((item) => itemId(target, item)) };
      },
    ),
    "change-item": operation(z.strictObject({ ...OneItem, ...ItemDetails }), ({ mailbox, item, ...details }) => {
      const target = found(world, mailbox);
      const changed = changeItem(world, target, itemIn(target, item), details);
      return { id: itemId(target, changed) };
    }),
    "move-item": operation(z.strictObject({ ...OneItem, folder: z.string() }), ({ mailbox, item, folder }) => {
      const target = found(world, mailbox);
      const record = itemIn(target, item);
      const moved = { ...record, folderKey: folderIn(target, folder).key, generation: record.generation + 1 };
      target.state.commit({ op: "item", at: world.now(), record: moved });
      return { id: itemId(target, moved) };
    }),
    "remove-item": operation(z.strictObject(OneItem), ({ mailbox, item }) =>
      removeItem(found(world, mailbox), world.now(), { item }),
    ),
    "expire-delta": operation(z.strictObject({ ...Mailbox, folder: z.string().optional() }), ({ mailbox, folder }) => {
      const target = found(world, mailbox);
      const folderKey = folder === undefined ? undefined : folderIn(target, folder).key;
      target.state.commit({ op: "delta-expired", at: world.now(), ...(folderKey !== undefined && { folderKey }) });
    }),

    "step-exports": operation(z.strictObject({ steps: z.int().positive().default(1) }), ({ steps }) =>
      world.exports.step(steps),
    ),
    exports: operation(z.strictObject({}), () => world.exports.all().map(({ storageLocation: _, ...shown }) => shown)),

    settings: operation(SettingsPatch, (patch) => context.changeSettings(patch)),
    "add-fault": operation(FaultRule, (rule) => ({ id: faults.add(rule) })),
    faults: operation(z.strictObject({}), () => faults.list()),
    "clear-faults": operation(z.strictObject({ id: z.string().optional() }), ({ id }) => faults.clear(id)),
    counters: operation(z.strictObject({}), (): CounterReport => counters.report()),
    "reset-counters": operation(z.strictObject({}), () => counters.reset()),
    /** Forgets requests and bytes counted towards the limits. */
    "reset-limits": operation(z.strictObject({}), () => world.throttle.clear()),
  };
};

export type AdminOperations = ReturnType<typeof adminOperations>;

/** Hosts what a spec describes, without remembering it. */
export const hostSpec = async (context: AdminContext, spec: MailboxSpec): Promise<DirectoryUser> => {
  const { mailboxes } = context.world;
  const user = seedUser(spec);
  if (spec.kind === "outlook") {
    if (context.loadOutlook === undefined) {
      throw new Error("This emulator was started without a loader for Outlook files: pass loadOutlook");
    }
    return mailboxes.host(await context.loadOutlook(spec.files, user), { purpose: spec.purpose });
  }
  const { archive } = spec;
  return mailboxes.host(generatedMailbox(generatedOptions(spec, user, "primary")), {
    purpose: spec.purpose,
    ...(archive && {
      archive: {
        seed: generatedMailbox(generatedOptions(archive, user, "archive")),
        auxiliaryFolders: archive.auxiliaryFolders,
      },
    }),
  });
};

export const hostedUser = ({ user, purpose, mailbox, archive }: DirectoryUser): HostedUser => ({
  userId: user.id,
  userPrincipalName: user.userPrincipalName,
  displayName: user.displayName,
  purpose,
  ...(mailbox && { mailboxId: mailbox.id }),
  ...(archive && { archiveMailboxId: archive.id }),
  ...(archive?.auxiliary && { auxiliaryMailboxId: archive.auxiliary.id }),
});

/** A mailbox by its id, or the primary one of a user. */
const found = (world: World, name: string): HostedMailbox => {
  const mailbox = world.mailboxes.byId(name) ?? world.mailboxes.user(name)?.mailbox;
  if (mailbox === undefined) throw new RangeError(`There is no mailbox ${name}`);
  return mailbox;
};

interface Details {
  readonly subject?: string | undefined;
  readonly categories?: readonly string[] | undefined;
  readonly bytes?: number | undefined;
  readonly type?: string | undefined;
}

const createItem = (world: World, { state }: HostedMailbox, folderKey: string, details: Details): ItemRecord => {
  const time = new Date(world.now()).toISOString();
  const uid = state.nextUid();
  const record: ItemRecord = {
    ...uid,
    generation: 0,
    folderKey,
    changeNumber: state.nextChangeNumber(),
    properties: {
      type: details.type ?? "IPM.Note",
      subject: details.subject ?? `New item ${uid.index}`,
      from: "Ada Berg <ada.berg@contoso.example>",
      received: time,
      internetMessageId: `<${randomUUID()}@contoso.example>`,
      hasAttachments: false,
      searchKey: randomBytes(16).toString("hex"),
      categories: [...(details.categories ?? [])],
      created: time,
    },
    created: time,
    modified: time,
    imported: false,
    content: { kind: "generated", seed: uid.index, bytes: details.bytes ?? 8000 },
  };
  state.commit({ op: "item", at: world.now(), record });
  return record;
};

const changeItem = (world: World, { state }: HostedMailbox, item: ItemRecord, details: Details): ItemRecord => {
  const changeNumber = state.nextChangeNumber();
  const kept = item.content.kind === "file" ? { ...item.content, verbatim: false } : item.content;
  const record: ItemRecord = {
    ...item,
    changeNumber,
    modified: new Date(world.now()).toISOString(),
    properties: {
      ...item.properties,
      ...(details.subject !== undefined && { subject: details.subject }),
      ...(details.categories !== undefined && { categories: [...details.categories] }),
    },
    content: details.bytes === undefined ? kept : { kind: "generated", seed: changeNumber, bytes: details.bytes },
  };
  state.commit({ op: "item", at: world.now(), record });
  return record;
};

const listFolders = ({ state }: HostedMailbox): ListedFolder[] =>
  [...state.folders.values()].map((folder) => {
    const parent = folder.parentKey === undefined ? undefined : state.folders.get(folder.parentKey);
    return {
      id: state.ids.folder(folder.tag),
      key: folder.key,
      ...(parent && { parentId: state.ids.folder(parent.tag) }),
      displayName: folder.displayName,
      type: folder.type,
      ...(folder.wellKnownName !== undefined && { wellKnownName: folder.wellKnownName }),
      items: itemCount(folder),
    };
  });

/** Reads every item of a mailbox, or of one folder, to the end. */
async function* listItems(
  world: World,
  mailbox: HostedMailbox,
  only: string | undefined,
): AsyncGenerator<ListedItem, void, undefined> {
  const { state } = mailbox;
  const folders = only === undefined ? [...state.folders.values()] : [folderIn(mailbox, only)];
  for (const folder of folders) {
    for (let n = 0; n < itemCount(folder); n++) yield listedItem(world, mailbox, folder, state.itemAt(folder, n));
  }
}

const listedItem = async (
  world: World,
  mailbox: HostedMailbox,
  folder: FolderState,
  item: ItemRecord,
): Promise<ListedItem> => {
  const { state } = mailbox;
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of itemStream(item, state.seed, world.content)) {
    hash.update(piece);
    bytes += piece.length;
  }
  return {
    id: itemId(mailbox, item),
    folderId: state.ids.folder(folder.tag),
    folder: folder.displayName,
    type: item.properties.type,
    ...(item.properties.subject !== undefined && { subject: item.properties.subject }),
    searchKey: item.properties.searchKey,
    bytes,
    sha256: hash.digest("hex"),
  };
};
