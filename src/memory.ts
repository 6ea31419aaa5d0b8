// Keeps the daemon small. Imported for its effect, before anything is loaded; docs/notes/benchmarks.md has what each saves.

import { setFlagsFromString } from "node:v8";

// What is young would grow to three times 16 MiB before it is collected, and a daemon that rests never gives it back.
setFlagsFromString("--semi-space-growth-factor=1");
// What is old is collected when a tenth has come to it, in place of as much again; it is 20 MiB, so that is soon done.
setFlagsFromString("--heap-growing-percent=10");
setFlagsFromString("--optimize-for-size");
