const LEVELS = ["trace", "debug", "information", "warning", "error", "critical", "none"] as const;

/** From the most to the least talkative, as `logging.logLevel` in host.json names them. */
export type LogLevel = (typeof LEVELS)[number];

export interface LogEntry {
  readonly level: Exclude<LogLevel, "none">;
  /** `Function.{name}`, `Function.{name}.User` or `Host.{part}`; the filters of host.json compare it. */
  readonly category: string;
  readonly message: string;
  readonly functionName?: string;
}

export type Log = (entry: LogEntry) => void;

/**
 * Filters entries by host.json's `logging.logLevel`: the level of the longest matching prefix of the category, else
 * `default`, else information.
 */
export const filteredLog = (levels: Readonly<Record<string, LogLevel>>, sink: Log): Log => {
  const rules = Object.entries(levels)
    .map(([category, level]) => ({ prefix: category === "default" ? "" : category.toLowerCase(), level }))
    .sort((a, b) => b.prefix.length - a.prefix.length);

  const lowestOf = (category: string) =>
    rules.find(({ prefix }) => category.toLowerCase().startsWith(prefix))?.level ?? "information";

  return (entry) => {
    if (LEVELS.indexOf(entry.level) >= LEVELS.indexOf(lowestOf(entry.category))) sink(entry);
  };
};

/** One line of the console: time, level, function (or part of the host), message. */
export const formatLogLine = (entry: LogEntry, at: Date): string =>
  `${at.toISOString()} ${entry.level.padEnd(11)} [${entry.functionName ?? entry.category}] ${entry.message}`;

/** Parses a level as named in host.json or .NET, in any case; undefined for any other text. */
export const parseLogLevel = (text: string): LogLevel | undefined => {
  const level = text.toLowerCase();
  return LEVELS.find((known) => known === level);
};
