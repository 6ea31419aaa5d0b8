// Whatever valid manifest a generator thinks of is taken, and the same whichever way its YAML is laid out.

import fc from "fast-check";
import { expect, it } from "vitest";
import { stringify } from "yaml";

import { LABEL_PATTERN, LIMIT_FILES, parentOf } from "../../../src/spec/index.js";
import { parse } from "./fixture.js";

const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
const time = fc.constantFrom("1s", "90s", "2m", "500ms");
const size = fc.constantFrom("1MiB", "300MiB", "2GiB");
const text = fc
  .string({ unit: "grapheme", maxLength: 12 })
  .filter((value) => !/\0|\p{Surrogate}/u.test(value));
const argv = fc.array(text, { maxLength: 3 }).map((rest) => ["/bin/run", ...rest]);

function optional(
  fields: Record<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<Partial<Record<string, unknown>>> {
  return fc.record(fields, { requiredKeys: [] });
}

const probe = fc.oneof(
  fc.constantFrom("none", "notify"),
  fc.record({ exec: argv, timeout: time }),
  fc.record({ tcp: fc.integer({ min: 1, max: 65_535 }), interval: time }),
  fc.record({ http: fc.record({ port: fc.integer({ min: 1, max: 65_535 }) }) }),
);

const unit = fc
  .tuple(
    argv,
    optional({
      user: fc.oneof(fc.integer({ min: 0, max: 65_535 }), label),
      cwd: fc.constantFrom("/", "/srv", "/var/lib/x"),
      env: fc.dictionary(fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,6}$/), text, { maxKeys: 3 }),
      readiness: probe,
      "start-timeout": time,
      restart: fc.constantFrom("always", "on-failure", "never"),
      stop: fc.constantFrom(["TERM", "10s"], ["TSTP", "SIGTERM", "30s", "KILL"]),
      "clean-exits": fc.array(fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constant("TERM")), {
        maxLength: 3,
      }),
      nofile: fc.integer({ min: 16, max: 1_048_576 }),
    }),
  )
  .map(([words, fields]) => ({ argv: words, ...fields }));

const limits = optional({
  "cpu.weight": fc.integer({ min: 1, max: 10_000 }),
  "cpu.max": fc.constantFrom("max", "50%", "20000 50000"),
  "memory.max": fc.oneof(size, fc.constant("max")),
  "pids.max": fc.integer({ min: 1, max: 4_194_304 }),
});

/** Units that wait only for units before them, so that there is never a cycle. */
const units = fc
  .uniqueArray(fc.tuple(label, unit), { selector: ([name]) => name, maxLength: 4 })
  .map((list) =>
    Object.fromEntries(
      list.map(([name, fields], index) => [
        name,
        { ...fields, after: list.slice(0, index).map(([earlier]) => earlier) },
      ]),
    ),
  );

const { cell } = fc.letrec<{ cell: Record<string, unknown> }>((tie) => ({
  cell: fc
    .record({
      units,
      limits,
      cells: fc.oneof(
        { maxDepth: 2 },
        fc.constant({}),
        fc.dictionary(label, tie("cell"), { maxKeys: 2 }),
      ),
    })
    // A unit and a nested cell of one name would share a cgroup.
    .map((fields) => ({
      ...fields,
      cells: Object.fromEntries(
        Object.entries(fields.cells).filter(([name]) => !Object.hasOwn(fields.units, name)),
      ),
    })),
}));

const manifest = fc
  .tuple(label, cell)
  .map(([name, fields]) => ({ henge: 1, name, root: "host", ...fields }));

const QUOTED = { defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" } as const;

it("takes every valid manifest, and reads the same from each layout of its YAML", () => {
  fc.assert(
    fc.property(manifest, (fields) => {
      const spec = parse(stringify(fields, { aliasDuplicateObjects: false }));
      expect(parse(JSON.stringify(fields))).toEqual(spec);
      expect(parse(stringify(fields, { ...QUOTED, aliasDuplicateObjects: false }))).toEqual(spec);
    }),
    { numRuns: 25 },
  );
});

it("gives back a spec that keeps its promises", () => {
  fc.assert(
    fc.property(manifest, (fields) => {
      const { name, cells } = parse(JSON.stringify(fields));
      const names = cells.map((one) => one.name);
      expect(names[0]).toBe(name);
      expect(new Set(names).size).toBe(names.length);
      for (const [index, one] of cells.entries()) {
        const parent = parentOf(one.name);
        // Parents before children, and every name passes the pattern that nothing checks again.
        if (parent !== undefined) expect(names.slice(0, index)).toContain(parent);
        expect(one.name.split("/").every((part) => LABEL_PATTERN.test(part))).toBe(true);
        expect(LIMIT_FILES).toEqual(expect.arrayContaining(Object.keys(one.limits)));
        for (const { cell: to, unit: waited } of one.units.flatMap(({ after }) => after)) {
          const there = cells.find((candidate) => candidate.name === to);
          expect(there?.units.map((candidate) => candidate.name)).toContain(waited);
        }
      }
    }),
    { numRuns: 25 },
  );
});
