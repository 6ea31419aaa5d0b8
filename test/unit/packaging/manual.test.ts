import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { clientPage, daemonPage, manifestPage } from "../../../packaging/manual.js";
import { readCommand } from "../../../packaging/words.js";
import { makeProgram } from "../../../src/cli/program.js";
import { makeDaemonProgram } from "../../../src/command-line.js";
import { manifestJsonSchema } from "../../../src/manifest/index.js";

const client = readCommand(makeProgram(process, () => () => Promise.resolve()));
const daemon = readCommand(makeDaemonProgram(undefined));

it("tells of every verb, and of every option with what it takes", () => {
  const page = clientPage(client, readFileSync("docs/cli.md", "utf8"));
  expect(client.verbs.length).toBeGreaterThan(15);
  for (const verb of client.verbs) {
    expect(page).toContain(`\n## henge \`${verb.usage}\`\n\n${verb.summary}\n`);
    for (const { flags } of verb.options) expect(page).toContain(`\n\`${flags}\`\n: `);
  }
  expect(page).toContain("\n: form of what is printed: `text` or `json`\n");
  expect(page).toContain("\n    henge exec -t redmine/postgres psql\n");
});

it("tells of the daemon's options and of what the package installs", () => {
  const page = daemonPage(daemon, readFileSync("docs/henged.md", "utf8"));
  for (const { flags } of daemon.options) expect(page).toContain(`\n\`${flags}\`\n: `);
  expect(page).toContain("\n# FILES\n");
  expect(page).toContain("HENGE_PURGE_POOLS=yes");
});

it("tells of every field of a manifest", () => {
  const page = manifestPage(readFileSync("docs/manifest.md", "utf8"));
  const { properties = {} } = manifestJsonSchema() as { properties?: object };
  expect(Object.keys(properties).length).toBeGreaterThan(5);
  for (const field of Object.keys(properties)) expect(page).toMatch(new RegExp(`\`${field}\``));
});

describe("a page of docs/", () => {
  const doc = `# tool

    tool VERB

It does [things](other.md), see [more](https://henge.example/).

| verb | what |
| ---- | ---- |
| \`a\`  | b    |

## The colours

| colour        | means      | default |
| ------------- | ---------- | ------- |
| \`red\` \`a|b\` | stop       | yes     |
| \`green\`       | go         |         |

### Deep
`;

  it("becomes a page of the manual: sections in capitals, tables as terms, no links between files", () => {
    expect(manifestPage(doc)).toContain(
      "It does things, see [more](https://henge.example/).\n\n`a`\n: b\n\n# THE COLOURS\n\n" +
        "`red` `a|b`\n: stop (default: yes)\n\n`green`\n: go\n\n## Deep\n",
    );
  });

  it("loses its table of verbs where the program itself is asked for them", () => {
    const page = clientPage({ ...client, verbs: [] }, doc);
    expect(page).not.toContain("`a`\n: b");
    expect(page).toContain("`green`\n: go");
  });
});
