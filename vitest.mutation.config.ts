import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/mutation/**/*.test.ts"],
    testTimeout: 360_000,
    fileParallelism: false,
  },
});
