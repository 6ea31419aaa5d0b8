// The manual's pages in Markdown: what commander knows of a program, and the text of docs/. Nothing is said twice.

import type { CommandWords, OptionWords } from "./words.js";

const TABLE = /^\|.*\|\n\|[ :|-]+\|\n(?:\|.*\|\n?)*/m;

/** henge(1); `doc` is docs/cli.md. */
export function clientPage(program: CommandWords, doc: string): string {
  // Its first table is of the verbs, which the program itself knows better.
  const { intro, sections } = splitDoc(doc.replace(TABLE, ""));
  const common = new Set(program.options.map(({ flags }) => flags));
  const verbs = program.verbs.map((verb) => {
    const own = verb.options.filter(({ flags }) => !common.has(flags));
    return [`## henge ${code(verb.usage)}`, verb.summary, ...optionList(own), ...example(verb)];
  });
  return join(
    ...heading("henge", "runs stateful monoliths in cells", "**henge** *VERB* [*options*]"),
    intro,
    "# OPTIONS",
    ...optionList(program.options),
    "# VERBS",
    ...verbs.flat(),
    sections,
    "# SEE ALSO",
    "**henge.yaml**(5), **henged**(8)",
  );
}

/** henged(8); `doc` is docs/henged.md. */
export function daemonPage(program: CommandWords, doc: string): string {
  const { intro, sections } = splitDoc(doc);
  return join(
    ...heading("henged", "the daemon of Henge", "**henged** [*options*]"),
    intro,
    "# OPTIONS",
    ...optionList(program.options),
    ...example(program),
    sections,
    "# SEE ALSO",
    "**henge**(1), **henge.yaml**(5), **systemd**(1)",
  );
}

/** henge.yaml(5); `doc` is docs/manifest.md. */
export function manifestPage(doc: string): string {
  const { intro, sections } = splitDoc(doc);
  return join(
    ...heading("henge.yaml", "the manifest of a monolith", "**henge up** *henge.yaml*"),
    intro,
    sections,
    "# FILES",
    "`/usr/share/henge/manifest.schema.json`\n: its JSON Schema",
    "# SEE ALSO",
    "**henge**(1)",
  );
}

function heading(name: string, what: string, synopsis: string): readonly string[] {
  return ["# NAME", `${name} - ${what}`, "# SYNOPSIS", synopsis, "# DESCRIPTION"];
}

function join(...parts: readonly string[]): string {
  return `${parts.join("\n\n")}\n`;
}

/** A page of docs/: what stands before its first section, and its sections one level up. */
function splitDoc(doc: string): { readonly intro: string; readonly sections: string } {
  const body = doc
    .replace(/^# .*\n+(?: {4}.*\n)*/, "")
    // A page of the manual has no files beside it.
    .replaceAll(/\[([^\]]+)\]\((?!https?:)[^)]*\)/g, "$1")
    .replaceAll(new RegExp(TABLE, "gm"), definitions);
  const cut = body.search(/^## /m);
  return {
    intro: body.slice(0, cut).trim(),
    sections: body
      .slice(cut)
      .trim()
      .replaceAll(/^##(#?) (.*)$/gm, (_all, deeper: string, title: string) =>
        deeper === "" ? `# ${title.toUpperCase()}` : `## ${title}`,
      ),
  };
}

/** A table is too wide for a terminal: its rows become terms with what there is to say of them. */
function definitions(table: string): string {
  const [head = [], , ...rows] = table.trim().split("\n").map(cellsOf);
  return rows
    .map(([term = "", what = "", ...rest]) => {
      const more = rest.map((text, index) =>
        text === "" ? "" : ` (${head[index + 2] ?? ""}: ${text})`,
      );
      return `${term}\n: ${what}${more.join("")}\n`;
    })
    .join("\n");
}

/** A bar within backticks is text. */
function cellsOf(row: string): readonly string[] {
  const cells = row.replaceAll(/^\||\|$/g, "").match(/(?:`[^`]*`|[^|`])+/g) ?? [];
  return cells.map((cell) => cell.trim());
}

function optionList(options: readonly OptionWords[]): readonly string[] {
  return options.map(({ flags, choices, summary }) => {
    const words = choices.length === 0 ? "" : `: ${choices.map(code).join(" or ")}`;
    return `${code(flags)}\n: ${summary}${words}`;
  });
}

function example({ example: text }: CommandWords): readonly string[] {
  return text === undefined ? [] : [`Example:`, text.replaceAll(/^/gm, "    ")];
}

function code(text: string): string {
  return `\`${text}\``;
}
