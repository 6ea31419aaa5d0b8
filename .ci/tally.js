// A vitest reporter: the run's last line is `Tests: N passed, N failed`, counted from what vitest saw. Where several runs
// have a file together, HENGE_TALLY, the last line of each counts those before it too.

import { readFileSync, writeFileSync } from "node:fs";

const file = process.env.HENGE_TALLY;

function before() {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { passed: 0, failed: 0 };
  }
}

export default class Tally {
  onTestRunEnd(modules, unhandledErrors) {
    let { passed, failed } = before();
    // An error outside a test, or a file that could not be loaded, has no test of its own to fail.
    failed += unhandledErrors.length;
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed += 1;
        if (state === "failed") failed += 1;
      }
      for (const suite of module.children.allSuites()) failed += suite.errors().length;
    }
    if (file !== undefined) writeFileSync(file, JSON.stringify({ passed, failed }));
    // Once the reporters before this one have written theirs.
    process.once("exit", () => {
      process.stdout.write(`Tests: ${passed} passed, ${failed} failed\n`);
    });
  }
}
