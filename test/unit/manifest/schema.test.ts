import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { describe, expect, it } from "vitest";

import { manifestJsonSchema } from "../../../src/manifest/index.js";
import { LIMIT_FILES } from "../../../src/spec/index.js";

type Schema = Readonly<Record<string, unknown>>;

const schema = manifestJsonSchema() as Schema;

/** Every mapping of the schema, however deep. */
function findObjects(node: unknown): readonly Schema[] {
  if (typeof node !== "object" || node === null) return [];
  const here = "properties" in node ? [node as Schema] : [];
  return [...here, ...Object.values(node).flatMap(findObjects)];
}

function propertiesOf(object: Schema): Readonly<Record<string, Schema>> {
  return object["properties"] as Readonly<Record<string, Schema>>;
}

const objects = findObjects(schema);
const fields = [...new Set(objects.flatMap((object) => Object.keys(propertiesOf(object))))];

describe("the published JSON Schema", () => {
  it("is of draft 2020-12 and plain JSON", () => {
    expect(schema["$schema"]).toBe("https://json-schema.org/draft/2020-12/schema");
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  });

  it("asks for three fields and no more", () => {
    expect(schema["required"]).toEqual(["henge", "name", "root"]);
  });

  it("closes every mapping to unknown fields", () => {
    expect(objects.length).toBeGreaterThan(10);
    expect(objects.filter((object) => object["additionalProperties"] !== false)).toEqual([]);
  });

  it("describes values as they are written, with their defaults", () => {
    const [unit] = objects.filter((object) => "argv" in propertiesOf(object));
    expect(propertiesOf(unit ?? {})).toMatchObject({
      stop: { default: ["TERM", "30s"] },
      readiness: { default: "none" },
      nofile: { type: "integer", minimum: 16, maximum: 1_048_576 },
      log: { properties: { "max-size": { type: "string", default: "10MiB" } } },
    });
  });

  it("knows every limit there is", () => {
    const limits = (schema["properties"] as Readonly<Record<string, Schema>>)["limits"] ?? {};
    expect(Object.keys(propertiesOf(limits)).sort()).toEqual([...LIMIT_FILES, "numa"].sort());
  });

  it("names the nested cell once and refers to it", () => {
    expect(JSON.stringify(schema)).toContain('{"$ref":"#/$defs/Cell"}');
  });
});

it.each(fields)("docs/manifest.md has the field %s", (field) => {
  const docs = readFileSync(resolve(import.meta.dirname, "../../../docs/manifest.md"), "utf8");
  expect(docs.includes(`\`${field}\``)).toBe(true);
});
