import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PSTFile, PSTMessage } from "pst-extractor";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { OutlookFileError } from "../../../../local/graph/pst/open.ts";
import { type OutlookMailbox, readOutlookFile } from "../../../../local/graph/pst/outlook-file.ts";
import type { SeedItem } from "../../../../local/graph/seed.ts";
import { outlookFiles } from "./outlook-files.ts";

const dir = mkdtempSync(join(tmpdir(), "pst-"));
afterAll(() => rmSync(dir, { recursive: true }));

const aFile = (name: string, content: Uint8Array): string => {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
};

/** A header as [MS-PST] 2.2.2.6 lays it out, of a file that says it is `eof` bytes long. */
const aHeader = ({ version = 23, eof = 1024, crypt = 1 } = {}): Buffer => {
  const header = Buffer.alloc(1024);
  header.write("!BDN");
  header.writeUInt16LE(version, 10);
  header.writeBigUInt64LE(BigInt(eof), 184);
  header[513] = crypt;
  return header;
};

const opened = (path: string): OutlookMailbox => {
  const mailbox = readOutlookFile(path);
  onTestFinished(mailbox.close);
  return mailbox;
};

const itemsOf = (mailbox: OutlookMailbox): SeedItem[] =>
  mailbox.folders.flatMap(({ key, itemCount }) =>
    Array.from({ length: itemCount }, (_, index) => mailbox.item(key, index)),
  );

const bytesOf = (item: SeedItem): Buffer => Buffer.concat([...item.payload()]);

const files = outlookFiles();

describe("readOutlookFile", () => {
  test.each([
    ["an empty file", Buffer.alloc(0), /it is no Outlook data file/],
    ["some other file", Buffer.from("PK\u0003\u0004".padEnd(2000)), /it is no Outlook data file/],
    ["half a header", aHeader().subarray(0, 300), /it is truncated: 300 bytes do not hold a header/],
    ["an unknown version", aHeader({ version: 99 }), /its version 99 is unknown/],
    ["an encrypted file", aHeader({ crypt: 2 }), /it is encrypted; export it again without a password/],
    ["a file that lost its end", aHeader({ eof: 271_360 }), /it is truncated: 1024 of 271360 bytes are there/],
    ["a header alone", aHeader(), /it is damaged/],
  ])("refuses %s in one line that names the file", (name, content, reason) => {
    const path = aFile(name, content);
    const read = () => readOutlookFile(path);

    expect(read).toThrow(OutlookFileError);
    expect(read).toThrow(reason);
    expect(read).toThrow(path);
    expect(read).not.toThrow(/\n/);
  });

  test("refuses a missing file and a directory", () => {
    expect(() => readOutlookFile(join(dir, "none.pst"))).toThrow(/none\.pst: there is no such file/);
    expect(() => readOutlookFile(dir)).toThrow(/it is a directory/);
  });

  test.each(files)("refuses $name cut in half, and with its middle overwritten", ({ name, path }) => {
    const content = readFileSync(path);
    const half = content.subarray(0, content.length / 2);
    const spoilt = Buffer.from(content).fill(0x55, 1024);

    expect(() => readOutlookFile(aFile(`half ${name}`, half))).toThrow(/it is truncated/);
    expect(() => readOutlookFile(aFile(`spoilt ${name}`, spoilt))).toThrow(/it is damaged/);
  });

  test.each(files)("finds every message that the node tree of $name has", ({ path }) => {
    const file = new PSTFile(path);
    onTestFinished(() => file.close());
    const isMessage = ({ descriptorIdentifier }: { descriptorIdentifier: number }) =>
      (descriptorIdentifier & 0x1f) === 0x04;
    const messages = [...file.getChildDescriptorTree().values()].flat().filter(isMessage);

    expect(itemsOf(opened(path))).toHaveLength(messages.length);
  });

  test.each(files)("gives the items of $name the same bytes at every call and every start", ({ path }) => {
    const first = itemsOf(opened(path));
    const second = itemsOf(opened(path));

    expect(first.length).toBeGreaterThan(0);
    for (const [index, item] of first.entries()) {
      expect(bytesOf(item).equals(bytesOf(item))).toBe(true);
      expect(bytesOf(item).equals(bytesOf(second[index] as SeedItem))).toBe(true);
      expect(item.payloadBytes).toBe(bytesOf(item).length);
    }
  });

  test.each(files)("puts every text, recipient and attachment of $name into the payloads", ({ path }) => {
    const file = new PSTFile(path);
    onTestFinished(() => file.close());
    const payloads = Buffer.concat(itemsOf(opened(path)).map(bytesOf));
    const pieces = [...file.getChildDescriptorTree().values()]
      .flat()
      .filter(({ descriptorIdentifier }) => (descriptorIdentifier & 0x1f) === 0x04)
      .flatMap((node) => contentOf(new PSTMessage(file, node)));

    expect(pieces.filter((piece) => !payloads.includes(piece))).toEqual([]);
  });

  test.each(files)("lets nothing be read from $name once it is closed", ({ path }) => {
    const mailbox = readOutlookFile(path);
    const { key = "" } = mailbox.folders.find(({ itemCount }) => itemCount > 0) ?? {};
    const item = mailbox.item(key, 0);
    mailbox.close();
    mailbox.close();

    expect(() => mailbox.item(key, 0)).toThrow(/is closed/);
    expect(() => bytesOf(item)).toThrow(/is closed/);
    expect(() => item.payloadBytes).toThrow(/is closed/);
  });

  test.each(files)("names the folders of $name uniquely, parents first", ({ path }) => {
    const seen = new Set<string | undefined>([undefined]);
    for (const { key, parentKey } of opened(path).folders) {
      expect(seen).toContain(parentKey);
      expect(seen).not.toContain(key);
      seen.add(key);
    }
  });

  const CONTENTS = {
    "alpha-beta-gamma-delta.pst": ["IPM.Note Alpha"],
    "contacts.pst": ["IPM.Contact コム ドット イグザンプル 殿"],
    "dist-list.pst": [
      "IPM.Appointment Test appointment",
      "IPM.Contact contact name 1",
      "IPM.DistList test dist list",
      "IPM.Microsoft.ScheduleData.FreeBusy LocalFreebusy",
    ],
  } as const;

  test.each(files.filter(({ name }) => name in CONTENTS))("reads what $name holds", ({ name, path }) => {
    const seen = itemsOf(opened(path)).map(({ type, subject }) => `${type} ${subject}`);
    expect(seen).toEqual(CONTENTS[name as keyof typeof CONTENTS]);
  });
});

/** What the library's own, high-level reading finds in a message and the messages attached to it. */
const contentOf = (message: PSTMessage): Buffer[] => {
  const attachments = Array.from({ length: message.numberOfAttachments }, (_, index) => message.getAttachment(index));
  const recipients = Array.from({ length: message.numberOfRecipients }, (_, index) => message.getRecipient(index));
  const texts = [message.body, message.senderName, ...recipients.map((recipient) => recipient?.displayName ?? "")];
  return [
    ...texts.map((text) => Buffer.from(text, "utf16le")),
    ...attachments.flatMap((attachment) => {
      const embedded = attachment.embeddedPSTMessage;
      if (embedded !== null) return contentOf(embedded);
      const stream = attachment.fileInputStream;
      if (stream === null) return [];
      const bytes = Buffer.alloc(stream.length.toNumber());
      stream.readCompletely(bytes);
      return [bytes];
    }),
  ];
};
