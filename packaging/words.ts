// A program's command line as commander has it, in the words a manual and a completion need.

import type { Command, Option } from "commander";

export interface OptionWords {
  /** As it is typed, with its value: `-o, --output <form>`. */
  readonly flags: string;
  readonly short: string | undefined;
  readonly long: string;
  /** What the value is called, e.g. `directory`; undefined when it takes none. */
  readonly value: string | undefined;
  readonly choices: readonly string[];
  readonly summary: string;
}

export interface CommandWords {
  readonly name: string;
  /** As it is typed: `exec [options] <target> <command...>`. */
  readonly usage: string;
  readonly summary: string;
  /** What each argument is called, e.g. `target`. */
  readonly takes: readonly string[];
  readonly options: readonly OptionWords[];
  readonly example: string | undefined;
  readonly verbs: readonly CommandWords[];
}

export function readCommand(command: Command): CommandWords {
  const help = command.createHelp();
  return {
    name: command.name(),
    usage: `${command.name()} ${command.usage()}`,
    summary: command.description(),
    takes: command.registeredArguments.map((argument) => argument.name()),
    options: help.visibleOptions(command).map(readOption),
    example: readExample(command),
    verbs: help.visibleCommands(command).map(readCommand),
  };
}

function readOption(option: Option): OptionWords {
  const [, value] = /[<[](.+?)[\]>]/.exec(option.flags) ?? [];
  return {
    flags: option.flags,
    short: option.short,
    long: option.long ?? "",
    value,
    choices: option.argChoices ?? [],
    summary: option.description,
  };
}

/** Text after the help is told to whoever prints it, and to nobody else. */
function readExample(command: Command): string | undefined {
  const written: string[] = [];
  command.configureOutput({ writeOut: (text) => written.push(text) }).outputHelp();
  const [, example] = /\nExamples?:\n([^]*)$/.exec(written.join("")) ?? [];
  return example?.replaceAll(/^ {2}/gm, "").trimEnd();
}
