// What the CLI knows of the process it runs in, passed in so that tests can be that process.

export interface Output {
  write(text: string | Uint8Array): boolean;
  once(event: "drain", listener: () => void): unknown;
  readonly isTTY?: boolean | undefined;
}

export interface Terminal extends Output {
  readonly rows?: number | undefined;
  readonly columns?: number | undefined;
  on(event: "resize", listener: () => void): unknown;
  off(event: "resize", listener: () => void): unknown;
}

export interface Input extends AsyncIterable<Buffer | string> {
  readonly isTTY?: boolean | undefined;
  /** Only a terminal has it. */
  setRawMode?(raw: boolean): unknown;
}

export interface Io {
  readonly stdin: Input;
  readonly stdout: Terminal;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Calls the listener at SIGINT and SIGTERM, which then end nothing by themselves; returns what ends that. */
  onInterrupt?(listener: () => void): () => void;
}

/** Writes, and waits until there is room for more. */
export async function writeOut(output: Output, data: string | Uint8Array): Promise<void> {
  if (output.write(data)) return;
  await new Promise<void>((resolve) => output.once("drain", resolve));
}
