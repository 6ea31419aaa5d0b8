// Markdown to the language of man(7), by lowdown(1).

import { execFileSync } from "node:child_process";

export interface PageTitle {
  readonly name: string;
  readonly section: number;
  /** Of the program the page is about. */
  readonly version: string;
  readonly date: string;
}

export function pageFromMarkdown(markdown: string, title: PageTitle): string {
  const { name, section, version, date } = title;
  const metadata = { title: name, section: String(section), date, source: `Henge ${version}` };
  const argv = Object.entries(metadata).map(([key, value]) => `-M${key}=${value}`);
  const page = execFileSync("lowdown", ["-s", "-Tman", "--out-no-smarty", ...argv], {
    input: markdown,
    encoding: "utf8",
  });
  return (
    page
      // man(1) finds a page by the line under NAME, and wants the heading on the line of its macro.
      .replaceAll(/^(\.S[HS])\n/gm, "$1 ")
      // groff has no font C, and what is typed has a minus where prose has a hyphen.
      .replaceAll(/\\fC((?:\\-|[^\\]|\\\(|\\[^f])*)\\fR/g, (_all, text: string) => {
        return `\\fB${text.replaceAll(/(?<!\\)-/g, "\\-")}\\fR`;
      })
  );
}
