import type { Webhook } from "../../shared/config.ts";
import type { Notice } from "./notify.contract.ts";

/** The JSON that a webhook takes for a notice. */
export const messageOf = (format: Webhook["format"], notice: Notice): unknown =>
  format === "slack" ? slackMessage(notice) : teamsMessage(notice);

/**
 * What a Teams workflow posts to a channel: the Adaptive Card in its first attachment.
 * Source: learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using (read 2026-11).
 */
const teamsMessage = ({ title, isProblem, facts }: Notice): unknown => ({
  type: "message",
  attachments: [
    {
      contentType: "application/vnd.microsoft.card.adaptive",
      contentUrl: null,
      content: {
        $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
        type: "AdaptiveCard",
        version: "1.4",
        body: [
          {
            type: "TextBlock",
            text: title,
            wrap: true,
            weight: "Bolder",
            size: "Medium",
            color: isProblem ? "Attention" : "Good",
          },
          { type: "FactSet", facts: facts.map(({ name, value }) => ({ title: name, value })) },
        ],
      },
    },
  ],
});

/** Source: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (read 2026-11). */
const slackMessage = ({ title, isProblem, facts }: Notice): unknown => {
  const lines = facts.map(({ name, value }) => `${slackText(name)}: ${slackText(value)}`);
  return { text: [`${isProblem ? ":warning: " : ""}*${slackText(title)}*`, ...lines].join("\n") };
};

/**
 * The three characters that Slack reads as more than text. Source: docs.slack.dev/messaging/formatting-message-text.
 */
const slackText = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
