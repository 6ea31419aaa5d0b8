// A vitest reporter: the run's last line is `Tests: N passed, N failed`, counted from what vitest saw.

export default class Tally {
  onTestRunEnd(modules, unhandledErrors) {
    let passed = 0;
    // An error outside a test, or a file that could not be loaded, has no test of its own to fail.
    let failed = unhandledErrors.length;
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed += 1;
        if (state === "failed") failed += 1;
      }
      for (const suite of module.children.allSuites()) failed += suite.errors().length;
    }
    // Once the reporters before this one have written theirs.
    process.once("exit", () => {
      process.stdout.write(`Tests: ${passed} passed, ${failed} failed\n`);
    });
  }
}
