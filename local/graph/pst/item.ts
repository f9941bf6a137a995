import { createHash } from "node:crypto";
import type { SeedItem } from "../seed.ts";
import type { Content, PstNode } from "./node.ts";
import { type Values, valuesOf } from "./values.ts";

/** Source: [MS-OXPROPS]. */
const PID = {
  messageClass: 0x001a,
  subject: 0x0037,
  sender: [0x5d01, 0x5d02, 0x0c1f, 0x0065],
  received: 0x0e06,
  internetMessageId: 0x1035,
  hasAttachments: 0x0e1b,
  messageFlags: 0x0e07,
  searchKey: 0x300b,
  created: 0x3007,
  modified: 0x3008,
};

/** mfHasAttach. Source: [MS-OXCMSG] 2.2.1.6. */
const HAS_ATTACHMENTS_FLAG = 0x10;
const SEARCH_KEY_BYTES = 16;
const NEVER = "1970-01-01T00:00:00.000Z";

/** The properties of an item, whose `content` is read when asked. `keywordsId` is the property with its categories. */
export const readItem = (node: PstNode, content: Content, keywordsId: number | undefined): SeedItem => {
  const values = valuesOf(node);
  const received = values.time(PID.received);
  const created = values.time(PID.created) ?? received ?? NEVER;
  return {
    type: values.text(PID.messageClass) ?? "IPM.Note",
    ...defined("subject", subjectOf(values)),
    ...defined("from", first(PID.sender.map((id) => values.text(id)))),
    ...defined("received", received),
    ...defined("internetMessageId", values.text(PID.internetMessageId)),
    hasAttachments: hasAttachments(values),
    searchKey: searchKeyOf(values, content),
    categories: keywordsId === undefined ? [] : values.texts(keywordsId),
    created,
    modified: values.time(PID.modified) ?? created,
    get payloadBytes() {
      return content.length;
    },
    payload: content.read,
  };
};

const defined = <K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> =>
  value === undefined ? {} : ({ [key]: value } as Record<K, string>);

const first = (candidates: readonly (string | undefined)[]): string | undefined =>
  candidates.find((candidate) => candidate !== undefined);

/** A stored subject may begin with U+0001 and the length of its prefix. Source: [MS-PST] 2.5.3.1.1.1. */
const subjectOf = (values: Values): string | undefined => {
  const subject = values.text(PID.subject);
  return subject?.startsWith("\u0001") ? subject.slice(2) || undefined : subject;
};

const hasAttachments = (values: Values): boolean =>
  values.integer(PID.hasAttachments) === 1 || ((values.integer(PID.messageFlags) ?? 0) & HAS_ATTACHMENTS_FLAG) !== 0;

const searchKeyOf = (values: Values, content: Content): string => {
  const stored = values.bytes(PID.searchKey);
  if (stored?.length === SEARCH_KEY_BYTES) return stored.toString("hex");
  const hash = createHash("sha256");
  for (const bytes of content.read()) hash.update(bytes);
  return hash.digest("hex").slice(0, SEARCH_KEY_BYTES * 2);
};
