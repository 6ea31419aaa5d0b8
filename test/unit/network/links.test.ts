import { expect, it } from "vitest";

import { parseRoutes } from "../../../src/network/links.js";

it("finds every route of every table in /proc/net/fib_trie, with its length", () => {
  const text = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.83.0.0/16 2 0 2
        |-- 10.83.4.6
           /31 link UNICAST
           /32 host LOCAL
Local:
  +-- 127.0.0.0/8 2 0 2
     |-- 127.0.0.0
        /8 host LOCAL
`;
  expect(parseRoutes(text)).toEqual(["0.0.0.0/0", "10.83.4.6/31", "10.83.4.6/32", "127.0.0.0/8"]);
});
