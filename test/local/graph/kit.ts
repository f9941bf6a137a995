import { z } from "zod";
import {
  type GraphEmulator,
  type InProcessOptions,
  type StartOptions,
  startGraphEmulator,
} from "../../../local/graph/emulator.ts";

export const UPN = "ada.berg@contoso.example";

const running: GraphEmulator[] = [];

/** After each test; files share a process, so that only the setup of a file can see to it. */
export const stopEmulators = async (): Promise<void> => {
  await Promise.all(running.splice(0).map((emulator) => emulator.stop()));
};

export const Answer = z.looseObject({
  /** The list of a collection; other values are left out. */
  value: z.array(z.record(z.string(), z.unknown())).optional().catch(undefined),
  "@odata.nextLink": z.string().optional(),
  "@odata.deltaLink": z.string().optional(),
  "@odata.count": z.number().optional(),
  error: z.looseObject({ code: z.string(), message: z.string() }).optional(),
});
export type Answer = z.infer<typeof Answer>;

export interface Replied {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Answer;
  readonly text: string;
}

interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly token?: string;
}

/** An emulator with one mailbox, and a client that knows its way around it. It stops when the test ends. */
export const anEmulator = async (options: StartOptions = {}, inProcess: InProcessOptions = {}) => {
  const mailboxes = options.mailboxes ?? [{ kind: "generated", userPrincipalName: UPN, items: 100 } as const];
  const emulator = await startGraphEmulator({ ...options, mailboxes }, inProcess);
  running.push(emulator);
  const users = await emulator.admin.users({});
  const mailbox = users[0]?.mailboxId ?? "";
  const base = `/v1.0/admin/exchange/mailboxes/${mailbox}`;

  const ask = async (
    pathOrUrl: string,
    { method, body: sent, headers, token = "emulator-token" }: Ask = {},
  ): Promise<Replied> => {
    const url = pathOrUrl.startsWith("http") ? pathOrUrl : `${emulator.graphUrl}${pathOrUrl}`;
    const response = await fetch(url, {
      method: method ?? (sent === undefined ? "GET" : "POST"),
      headers: {
        ...(token !== "" && { authorization: `Bearer ${token}` }),
        ...(sent !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(sent !== undefined && { body: JSON.stringify(sent) }),
      redirect: "manual",
    });
    const text = await response.text();
    const body = Answer.parse(text === "" ? {} : JSON.parse(text));
    return { status: response.status, headers: response.headers, body, text };
  };

  /** The values of every page, and the deltaLink at the end if there is one. */
  const readAll = async (path: string, headers: Record<string, string> = {}) => {
    const values: Record<string, unknown>[] = [];
    let pages = 0;
    for (let link: string | undefined = path; link !== undefined; ) {
      const { body }: Replied = await ask(link, { headers });
      values.push(...(body.value ?? []));
      pages += 1;
      link = body["@odata.nextLink"];
      if (link === undefined) return { values, pages, deltaLink: body["@odata.deltaLink"] ?? "" };
    }
    throw new Error("unreachable");
  };

  const folderId = async (name = "inbox"): Promise<string> => String((await ask(`${base}/folders/${name}`)).body["id"]);

  const importUrl = async (version = "v1.0", mailboxId = mailbox): Promise<string> => {
    const path = `/${version}/admin/exchange/mailboxes/${mailboxId}/createImportSession`;
    return String((await ask(path, { method: "POST" })).body["importUrl"]);
  };

  const exportOne = async (itemId: string): Promise<string> => {
    const { body } = await ask(`${base}/exportItems`, { body: { itemIds: [itemId] } });
    return String(body.value?.[0]?.["data"]);
  };

  return { emulator, mailbox, base, ask, readAll, folderId, importUrl, exportOne };
};

export const idsOf = (values: readonly Record<string, unknown>[]): string[] => values.map(({ id }) => String(id));
