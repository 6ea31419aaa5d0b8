// YAML text → plain values and the place of each. Takes a strict part of YAML 1.2: mappings with string
// keys, lists, strings, plain decimal numbers, true, false. Knows nothing of what a manifest says.

import {
  Composer,
  CST,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  Parser,
  type Document,
  type Pair,
  type Scalar,
  type YAMLMap,
} from "yaml";

import { quote, quoteKey, type Fault, type LocatedFault, type Path } from "./problems.js";
import { Pairs, wordSyntax } from "./syntax.js";

export const MAX_MANIFEST_BYTES = 65_536;
const MAX_NESTING = 20;
// Half again what 64 KiB of an ordinary manifest come to; the parser takes microseconds for each.
export const MAX_TOKENS = 32_768;

/** Where a key and its value stand in the text, and what is beneath it. */
export interface Place {
  readonly key: number;
  readonly value: number;
  readonly children: ReadonlyMap<string | number, Place>;
  /** What the author calls it, where the manifest was written shorter than it is. */
  readonly shownAs?: string | number;
}

export interface YamlSource {
  /** Undefined when the text cannot be read as one document at all. */
  readonly root: { readonly value: unknown; readonly place: Place } | undefined;
  readonly faults: readonly LocatedFault[];
}

/** Reads text without ever throwing; what is wrong comes back as faults. */
export function readYaml(text: string): YamlSource {
  const refused = refuseText(text);
  if (refused !== undefined) return { root: undefined, faults: [refused] };
  const { tokens, faults } = tokenize(text);
  if (faults.length > 0) return { root: undefined, faults };
  const document = compose(tokens);
  const [broken] = [...document.errors, ...document.warnings];
  if (broken !== undefined) {
    return { root: undefined, faults: [{ path: [], ...wordSyntax(broken, text) }] };
  }
  if (document.contents === null || isEmptyScalar(document.contents)) {
    return { root: undefined, faults: [top(0, "the manifest is empty")] };
  }
  const found: LocatedFault[] = [];
  const root = readNode(document.contents, [], document.contents.range[0], found);
  return { root, faults: found };
}

/** The offset a fault is shown at: a missing value points at what it is missing from. */
export function locate(root: Place, fault: Fault): LocatedFault {
  let place = root;
  const path: (string | number)[] = [];
  for (const part of fault.path) {
    const child = place.children.get(part);
    // The key of a mapping says more than its first line; the top of the manifest has none.
    if (child === undefined) {
      return { ...fault, path: [...path, ...fault.path.slice(path.length)], offset: place.key };
    }
    path.push(child.shownAs ?? part);
    place = child;
  }
  return { ...fault, path, offset: fault.on === "key" ? place.key : place.value };
}

function top(offset: number, text: string): LocatedFault {
  return { path: [], offset, text };
}

// Raw control characters: YAML forbids most of them, its parser does not look, and some are its own marks.
// eslint-disable-next-line no-control-regex -- finding them is the purpose
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]|\p{Surrogate}|\r(?!\n)|(?<!^)\ufeff/u;
const WHY: Readonly<Record<string, string>> = {
  "\r": "a line ends with a carriage return alone; save the file with the line ends of Unix (LF)",
  "\ufeff": "a byte order mark stands in the middle of the text; remove it",
};

function refuseText(text: string): LocatedFault | undefined {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > MAX_MANIFEST_BYTES) {
    return top(0, `manifest is ${String(bytes)} bytes, limit ${String(MAX_MANIFEST_BYTES)}`);
  }
  const control = CONTROL.exec(text);
  if (control === null) return undefined;
  const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  const [character] = control;
  return top(control.index, WHY[character] ?? `character U+${code} is not allowed`);
}

const SCALAR_MARK = "\u001f";
const REFUSED_TOKENS: Readonly<Record<string, string>> = {
  "directive-line": "directives (a line that begins with %) are not allowed; remove it",
  anchor: "anchors (&) are not allowed; put text that begins with & in quotes",
  alias: "aliases (*) are not allowed; put text that begins with * in quotes",
  tag: "tags (!) are not allowed; put text that begins with ! in quotes",
};

interface Tokens {
  readonly tokens: readonly CST.Token[];
  readonly faults: readonly LocatedFault[];
}

// Lexer and parser are loops, the composer recurses: depth is checked here, lexeme by lexeme.
function tokenize(text: string): Tokens {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  const faults: LocatedFault[] = [];
  const pairs = new Pairs();
  let previous = "";
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const offset = parser.offset;
    const kind = previous === SCALAR_MARK ? "scalar" : (CST.tokenType(lexeme) ?? "error");
    const refusal = REFUSED_TOKENS[kind];
    if (refusal !== undefined) faults.push(top(offset, refusal));
    pairs.see(kind, lexeme, offset);
    tokens.push(...parser.next(lexeme));
    if (parser.stack.filter(CST.isCollection).length > MAX_NESTING) {
      return {
        tokens,
        faults: [...faults, top(offset, `nesting deeper than ${String(MAX_NESTING)}`)],
      };
    }
    previous = lexeme;
    count += 1;
    if (count > MAX_TOKENS) {
      return {
        tokens,
        faults: [top(offset, `manifest is more than ${String(MAX_TOKENS)} tokens`)],
      };
    }
  }
  tokens.push(...parser.end());
  const second = tokens.filter(({ type }) => type === "document")[1];
  if (second !== undefined)
    faults.push(top(second.offset, "a second document begins; a manifest is one YAML document"));
  pairs.end();
  return {
    tokens,
    faults: [...faults, ...pairs.faults.map(({ offset, text }) => top(offset, text))],
  };
}

function compose(tokens: readonly CST.Token[]): Document.Parsed {
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    merge: false,
    strict: true,
    prettyErrors: false,
    // The library's check is quadratic; readMap has its own.
    uniqueKeys: false,
  });
  const [document] = composer.compose(tokens, true, 0);
  if (document === undefined) throw new Error("yaml composed no document though it was forced to");
  return document;
}

function isEmptyScalar(node: unknown): boolean {
  return isScalar(node) && node.value === null && (node.source ?? "") === "";
}

interface Read {
  readonly value: unknown;
  readonly place: Place;
}

function readNode(node: unknown, path: Path, key: number, faults: LocatedFault[]): Read {
  if (isMap(node)) return readMap(node, path, key, faults);
  const value = offsetOf(node) ?? key;
  if (isSeq(node)) {
    const items = node.items.map((item, index) =>
      readNode(item, [...path, index], offsetOf(item) ?? value, faults),
    );
    const children = new Map(items.map(({ place }, index) => [index, place]));
    return { value: items.map((item) => item.value), place: { key, value, children } };
  }
  const place: Place = { key, value, children: new Map() };
  if (!isScalar(node)) return { value: null, place };
  const fault = refuseNumber(node);
  if (fault !== undefined) faults.push({ path, offset: value, text: fault });
  return { value: node.value, place };
}

function readMap(node: YAMLMap, path: Path, key: number, faults: LocatedFault[]): Read {
  // No prototype: a key such as `constructor` is a key and nothing else.
  const value = Object.create(null) as Record<string, unknown>;
  const children = new Map<string, Place>();
  const firstOffsets = new Map<string, number>();
  for (const pair of node.items) {
    const offset = offsetOf(pair.key) ?? offsetOf(node) ?? key;
    const name = keyOf(pair);
    const refusal =
      name === undefined ? "a key must be a string; put it in quotes" : refuseKey(name);
    if (name === undefined || refusal !== undefined) {
      faults.push({
        path: name === undefined ? path : [...path, name],
        offset,
        text: refusal ?? "",
      });
    } else if (firstOffsets.has(name)) {
      const first = firstOffsets.get(name);
      const text = `duplicate key ${quoteKey(name)}`;
      faults.push({ path: [...path, name], offset, text, first });
    } else {
      firstOffsets.set(name, offset);
      const read = readNode(pair.value, [...path, name], offset, faults);
      value[name] = read.value;
      children.set(name, read.place);
    }
  }
  return { value, place: { key, value: offsetOf(node) ?? key, children } };
}

function keyOf(pair: Pair): string | undefined {
  return isScalar(pair.key) && typeof pair.key.value === "string" ? pair.key.value : undefined;
}

function refuseKey(name: string): string | undefined {
  if (name === "<<") return "merge keys are not allowed";
  // Even where keys are free: a later copy into an ordinary object would set its prototype.
  if (name === "__proto__") return `unknown field ${quote(name)}`;
  return undefined;
}

const PLAIN_DECIMAL = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/;

// 0x10, 0o17, 007, 1e3, .inf and 2^53+1 would all silently become some other number. What stands there is not repeated:
// it may be a password.
function refuseNumber(node: Scalar): string | undefined {
  if (typeof node.value !== "number") return undefined;
  const source = node.source ?? "";
  if (!PLAIN_DECIMAL.test(source)) {
    return "this is not a plain decimal number; put it in quotes if it is text";
  }
  if (Math.abs(node.value) > Number.MAX_SAFE_INTEGER)
    return "this number is too large; put it in quotes if it is text";
  return undefined;
}

function offsetOf(node: unknown): number | undefined {
  if (!isMap(node) && !isSeq(node) && !isScalar(node)) return undefined;
  return node.range?.[0];
}
