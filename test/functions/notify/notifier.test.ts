import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { notifier } from "../../../functions/notify/notifier.ts";
import type { Notice } from "../../../functions/notify/notify.contract.ts";
import { webhook } from "../../../functions/notify/webhook.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";

const aNotice: Notice = {
  id: "backup-1",
  title: "The backup has ended",
  isProblem: true,
  facts: [{ name: "Failed", value: "1 < 2 & <!channel>" }],
};

const servers: { close(): void; closeAllConnections(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Answer = number | ((response: ServerResponse) => void);

/** A webhook on this machine that answers these in order, the last one again and again, and keeps what it got. */
const aWebhook = async (answers: readonly Answer[] = [200], format: "teams" | "slack" = "teams") => {
  const got: unknown[] = [];
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    got.push(JSON.parse(await text(request)));
    const answer = answers[Math.min(got.length, answers.length) - 1] ?? 200;
    if (typeof answer === "number") response.writeHead(answer).end("s3cret in an answer");
    else answer(response);
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/s3cret`;
  const state = memoryBlobs();
  const notify = notifier({ state, post: webhook({ url, format }, { userAgent: "test", firstWaitMs: 1 }) });
  return { got, state, notify };
};

describe("a notice", () => {
  test("goes to Teams as an Adaptive Card", async () => {
    const { got, notify } = await aWebhook();

    expect(await notify(aNotice)).toBe("sent");
    expect(got).toMatchObject([
      {
        type: "message",
        attachments: [
          {
            contentType: "application/vnd.microsoft.card.adaptive",
            content: {
              type: "AdaptiveCard",
              body: [
                { type: "TextBlock", text: aNotice.title, color: "Attention" },
                { type: "FactSet", facts: [{ title: "Failed", value: "1 < 2 & <!channel>" }] },
              ],
            },
          },
        ],
      },
    ]);
  });

  test("goes to Slack as text in which nothing is a command", async () => {
    const { got, notify } = await aWebhook([200], "slack");

    await notify(aNotice);

    expect(got).toEqual([{ text: ":warning: *The backup has ended*\nFailed: 1 &lt; 2 &amp; &lt;!channel&gt;" }]);
  });

  test("is sent once, however often it is notified, also at the same time", async () => {
    const { got, notify } = await aWebhook();

    const outcomes = await Promise.all(Array.from({ length: 5 }, () => notify(aNotice)));

    expect(outcomes.toSorted()).toEqual(["repeated", "repeated", "repeated", "repeated", "sent"]);
    expect(got).toHaveLength(1);
    expect(await notify({ ...aNotice, id: "backup-2" })).toBe("sent");
  });

  test.each([429, 503])("is posted again after %i, which means that it was not taken", async (status) => {
    const { got, notify } = await aWebhook([status, status, 200]);

    expect(await notify(aNotice)).toBe("sent");
    expect(got).toHaveLength(3);
  });

  test.each<[string, Answer, string]>([
    ["is refused with 400", 400, "refused"],
    ["may have been taken before 502", 502, "refused"],
    ["may have been taken before the connection broke", (response) => response.destroy(), "unanswered"],
    ["is sent elsewhere", (response) => response.writeHead(302, { location: "http://127.0.0.1:9/" }).end(), "refused"],
  ])("is not posted again when it %s", async (_, answer, outcome) => {
    const { got, notify, state } = await aWebhook([answer]);

    expect(await notify(aNotice)).toBe(outcome);
    expect(got).toHaveLength(1);
    expect([...state.blobs.values()].map(({ body }) => String(body)).join()).not.toContain("s3cret");
  });

  test("goes nowhere, and leaves nothing behind, without a webhook", async () => {
    const state = memoryBlobs();

    expect(await notifier({ state, post: undefined })(aNotice)).toBe("off");
    expect(state.writes).toEqual([]);
  });

  test("never shows the webhook's URL when nobody answers there", async () => {
    const post = webhook({ url: "http://127.0.0.1:1/s3cret", format: "slack" }, { userAgent: "test", firstWaitMs: 1 });

    expect(await post(aNotice)).toBe("unanswered");
  });
});
