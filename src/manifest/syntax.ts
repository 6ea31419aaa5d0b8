// What is wrong with a text that is not YAML, in words of ours. The parser's own messages speak of its grammar, and some
// repeat the text, which may be a secret; nothing of the text is repeated here.

import type { YAMLError } from "yaml";

export interface SyntaxFault {
  readonly offset: number;
  readonly text: string;
}

type Wording = string | ((text: string, offset: number) => SyntaxFault);

const SPACE_AFTER_COLON = "put a space after this colon";
const NO_PAIR = "this line is not KEY: VALUE; write a colon and a space after the key";
const COMMA = "inside [ ] and { } a comma must stand between two entries";

const COLUMNS = "this line is indented unlike those beside it; begin them at the same column";

const WORDS: readonly (readonly [RegExp, Wording])[] = [
  [/^Implicit (map )?keys need to be|^Implicit keys of flow/, wordLine],
  [/^Nested mappings are not allowed/, wordNested],
  [/^All (mapping|sequence) items must start/, COLUMNS],
  [/^Tabs are not allowed/, "a tab indents this line; YAML takes spaces only"],
  [
    /^Invalid escape sequence/,
    "in double quotes a backslash begins an escape such as \\n; write \\\\ for a backslash, or use single quotes",
  ],
  [/^Plain value cannot start/, "a text cannot begin with this character; put it in quotes"],
  [/^Unexpected (scalar|.*quoted-scalar) at node end/, wordRest],
  [/^Unexpected , in|^Unexpected empty item/, "this comma stands before nothing; remove it"],
  [/^Missing , (or : )?between/, COMMA],
  [/^Missing space after :/, SPACE_AFTER_COLON],
  [
    /^Block collections are not allowed within flow/,
    `${COMMA}, and lists written with - do not stand there`,
  ],
  [/^A block sequence may not be used/, "a list cannot be a key; begin it on a line of its own"],
  [/^Block scalar header/, "after | or > its line may hold only -, + or a digit"],
  [/^Block scalar/, "the text of | or > must be indented with spaces, further than its key"],
  [/^Comments must be separated/, "put a space before this #"],
  [/must be at most 1024 chars/, "a key is longer than 1024 characters"],
  [/^Sequence item without -/, "in this list each entry begins with - and a space"],
  [/^Missing closing/, "a quote is opened and never closed"],
  [/must be sufficiently indented/, "lines inside [ ] or { } are indented further than its key"],
  [/directives-end/, "this line cannot stand beside the --- that begins the document"],
];

/** Says what the parser's first complaint means. Those that follow it mostly follow from it. */
export function wordSyntax({ message, pos }: YAMLError, text: string): SyntaxFault {
  const [offset] = pos;
  const [, wording] = WORDS.find(([pattern]) => pattern.test(message)) ?? [];
  if (typeof wording === "function") return wording(text, offset);
  return { offset, text: wording ?? "this does not fit what stands before it" };
}

/** A mapping's line that is no pair. */
function wordLine(text: string, offset: number): SyntaxFault {
  const colon = /^[^\s:#"']+:(?=[^ \n])/.exec(restOfLine(text, offset));
  return colon === null
    ? { offset, text: NO_PAIR }
    : { offset: offset + colon[0].length - 1, text: SPACE_AFTER_COLON };
}

/** Either `a: b: c`, or `a: b` with a line below it that is indented further. */
function wordNested(text: string, offset: number): SyntaxFault {
  const line = restOfLine(text, offset);
  if (/:(?: |$)/.test(line)) {
    const text = "a second colon on one line; put the value in quotes if it is text";
    return { offset, text };
  }
  const below = /^\r?\n *(?=\S)/.exec(text.slice(offset + line.length));
  return below === null
    ? { offset, text: NO_PAIR }
    : {
        offset: offset + line.length + below[0].length,
        text: "this line is indented further than the one above, whose key has a value already",
      };
}

function wordRest(text: string, offset: number): SyntaxFault {
  const before = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  return before.trim() === ""
    ? { offset, text: "a list and a mapping cannot stand at the same place; indent one of them" }
    : { offset, text: "something stands behind the closing quote; put the whole value in quotes" };
}

function restOfLine(text: string, offset: number): string {
  return /^[^\r\n]*/.exec(text.slice(offset))?.[0] ?? "";
}

const CLOSES: Readonly<Record<string, string>> = { "]": "[", "}": "{" };

/** Quotes and brackets that are never closed, told where they are opened. */
export class Pairs {
  readonly faults: SyntaxFault[] = [];
  readonly #open: { readonly offset: number; readonly bracket: string }[] = [];

  /** @param kind of the token, as the parser calls it */
  see(kind: string, lexeme: string, offset: number): void {
    if (kind === "single-quoted-scalar" || kind === "double-quoted-scalar") {
      if (lexeme.length < 2 || !lexeme.endsWith(lexeme.charAt(0)))
        this.faults.push({ offset, text: `this quote ${lexeme.charAt(0)} is never closed` });
    } else if (kind === "flow-map-start" || kind === "flow-seq-start") {
      this.#open.push({ offset, bracket: lexeme });
    } else if (kind === "flow-map-end" || kind === "flow-seq-end") {
      this.#close(lexeme, offset);
    } else if (kind === "flow-error-end") this.end();
  }

  /** What is open here is not closed any more. */
  end(): void {
    const last = this.#open.at(-1);
    this.#open.length = 0;
    if (last === undefined) return;
    const closing = last.bracket === "[" ? "]" : "}";
    const text = `this ${last.bracket} is never closed; end it with ${closing}, and indent the lines inside it, that of the ${closing} too`;
    this.faults.push({ offset: last.offset, text });
  }

  #close(lexeme: string, offset: number): void {
    const last = this.#open.pop();
    if (last?.bracket === CLOSES[lexeme]) return;
    const text =
      last === undefined
        ? `this ${lexeme} closes nothing`
        : `this ${lexeme} cannot close a ${last.bracket}`;
    this.faults.push({ offset, text });
  }
}
