import * as z from "zod";

/** The emulator's administration, as far as the demo and the tests use it. */
export const Folder = z.looseObject({
  id: z.string(),
  key: z.string(),
  parentId: z.string().optional(),
  displayName: z.string(),
  wellKnownName: z.string().optional(),
  items: z.int(),
});
export type Folder = z.output<typeof Folder>;

export const Item = z.looseObject({
  id: z.string(),
  folderId: z.string(),
  folder: z.string(),
  type: z.string(),
  searchKey: z.string(),
  bytes: z.int(),
  sha256: z.string(),
});
export type Item = z.output<typeof Item>;

export const User = z.looseObject({
  userId: z.string(),
  userPrincipalName: z.string(),
  displayName: z.string(),
  mailboxId: z.string().optional(),
});
export type User = z.output<typeof User>;

const Fault = z.looseObject({ id: z.string() });

const StruckFault = z.looseObject({ id: z.string(), struck: z.int() });

const ask = async (graphUrl: string, operation: string, input: unknown): Promise<Response> => {
  const response = await fetch(new URL(`/__admin/${operation}`, graphUrl), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(input),
  });
  if (!response.ok) throw new Error(`The Graph emulator refused ${operation}: ${await response.text()}`);
  return response;
};

export const graphAdmin = (graphUrl: string) => ({
  /** Any operation without a result of interest. */
  run: async (operation: string, input: unknown = {}): Promise<void> => {
    await (await ask(graphUrl, operation, input)).arrayBuffer();
  },
  /** Adds a fault rule, and returns its id. */
  addFault: async (rule: unknown): Promise<string> =>
    Fault.parse(await (await ask(graphUrl, "add-fault", rule)).json()).id,
  /** How many requests a fault rule has struck. */
  struck: async (fault: string): Promise<number> => {
    const faults = z.array(StruckFault).parse(await (await ask(graphUrl, "faults", {})).json());
    return faults.find(({ id }) => id === fault)?.struck ?? 0;
  },
  users: async (): Promise<User[]> => z.array(User).parse(await (await ask(graphUrl, "users", {})).json()),
  folders: async (mailbox: string): Promise<Folder[]> =>
    z.array(Folder).parse(await (await ask(graphUrl, "folders", { mailbox })).json()),
  /** Every item, with the hash of its whole stream. */
  items: async (mailbox: string, folder?: string): Promise<Item[]> => {
    const text = await (await ask(graphUrl, "items", { mailbox, ...(folder === undefined ? {} : { folder }) })).text();
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => Item.parse(JSON.parse(line)));
  },
  counters: async (): Promise<unknown> => (await ask(graphUrl, "counters", {})).json(),
});
export type GraphAdmin = ReturnType<typeof graphAdmin>;
