/** What YAML holds. Numbers stay texts: nothing that is checked here counts. */
export type Yaml = string | boolean | null | readonly Yaml[] | { readonly [key: string]: Yaml };

/** A text that is not YAML as this project writes it. */
export class YamlError extends Error {
  override readonly name = "YamlError";
}

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

/**
 * Reads the YAML that this project writes: maps and lists by indentation, plain and quoted texts, `|` blocks and flow lists
 * of plain texts. No anchors, no tags, no flow maps, no text over several lines but by `|`.
 *
 * @throws {YamlError}
 */
export const readYaml = (text: string): Yaml => {
  const lines = text.split("\n").map((raw, index): Line => {
    if (/^ *\t/.test(raw)) throw new YamlError(`line ${index + 1}: a tab indents`);
    const content = raw.trimEnd();
    return { number: index + 1, indent: content.length - content.trimStart().length, text: content.trimStart() };
  });
  const reader = new Reader(lines);
  const value = reader.block(0);
  reader.end();
  return value;
};

class Reader {
  private next = 0;
  private readonly lines: Line[];

  constructor(lines: Line[]) {
    this.lines = lines;
  }

  end(): void {
    const line = this.peek();
    if (line !== undefined) throw new YamlError(`line ${line.number}: indentation that fits nothing`);
  }

  /** A map or a list whose entries stand at one indentation, at least the one given. */
  block(least: number): Yaml {
    const first = this.peek();
    if (first === undefined || first.indent < least) return null;
    return isItem(first) ? this.list(first.indent) : this.map(first.indent);
  }

  private peek(): Line | undefined {
    while (isBlank(this.lines[this.next])) this.next += 1;
    return this.lines[this.next];
  }

  private list(indent: number): Yaml {
    const items: Yaml[] = [];
    for (let line = this.peek(); line?.indent === indent && isItem(line); line = this.peek()) {
      const rest = line.text.slice(1).trimStart();
      if (rest === "") {
        this.next += 1;
        items.push(this.block(indent + 1));
        continue;
      }
      const inner = indent + line.text.length - rest.length;
      if (KEY.test(rest)) {
        this.lines[this.next] = { ...line, indent: inner, text: rest };
        items.push(this.map(inner));
      } else {
        this.next += 1;
        items.push(scalar(rest, line));
      }
    }
    return items;
  }

  private map(indent: number): Yaml {
    const entries: Record<string, Yaml> = {};
    for (let line = this.peek(); line?.indent === indent && !isItem(line); line = this.peek()) {
      const [, quoted, plain = "", rest = ""] = KEY.exec(line.text) ?? [];
      const key = quoted ?? plain;
      if (key === "") throw new YamlError(`line ${line.number}: expected a key`);
      if (Object.hasOwn(entries, key)) throw new YamlError(`line ${line.number}: ${key} stands here twice`);
      this.next += 1;
      entries[key] = this.value(withoutComment(rest.trim()), line);
    }
    return entries;
  }

  private value(rest: string, line: Line): Yaml {
    if (/^[|>]-?$/.test(rest)) return this.literal(line.indent);
    if (rest !== "") return scalar(rest, line);
    const next = this.peek();
    const isListBelow = next !== undefined && isItem(next) && next.indent === line.indent;
    return this.block(isListBelow ? line.indent : line.indent + 1);
  }

  private literal(outer: number): string {
    const taken: Line[] = [];
    for (let line = this.lines[this.next]; line !== undefined; line = this.lines[this.next]) {
      if (line.text !== "" && line.indent <= outer) break;
      taken.push(line);
      this.next += 1;
    }
    const indent = Math.min(...taken.filter(({ text }) => text !== "").map((line) => line.indent));
    return taken.map((line) => " ".repeat(Math.max(0, line.indent - indent)) + line.text).join("\n");
  }
}

const KEY = /^(?:"([^"]+)"|([A-Za-z0-9_.*$/-]+)):(?: (.*))?$/;

const isItem = ({ text }: Line): boolean => text === "-" || text.startsWith("- ");
const isBlank = (line: Line | undefined): boolean =>
  line !== undefined && (line.text === "" || line.text.startsWith("#"));

const withoutComment = (text: string): string => (/^["']/.test(text) ? text : text.replace(/\s+#.*$/, ""));

const scalar = (text: string, line: Line): Yaml => {
  const plain = withoutComment(text);
  const [, double] = /^"((?:[^"\\]|\\.)*)"$/.exec(plain) ?? [];
  if (double !== undefined) return JSON.parse(`"${double}"`);
  const [, single] = /^'((?:[^']|'')*)'$/.exec(plain) ?? [];
  if (single !== undefined) return single.replaceAll("''", "'");
  const [, flow] = /^\[(.*)\]$/.exec(plain) ?? [];
  if (flow !== undefined) return flow.trim() === "" ? [] : flow.split(",").map((item) => scalar(item.trim(), line));
  if (plain === "{}") return {};
  if (/^["'[{&*!|>%@`]/.test(plain)) throw new YamlError(`line ${line.number}: this reader does not know ${plain}`);
  if (/: /.test(plain)) throw new YamlError(`line ${line.number}: a text with a colon needs quotes`);
  if (plain === "true" || plain === "false") return plain === "true";
  return plain === "null" || plain === "~" ? null : plain;
};
