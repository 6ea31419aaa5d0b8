// One line for people about a step: what it does, without why.

import type { Step } from "../spec/index.js";

import { describePort } from "./publish.js";
import { unitKey } from "./unit-ref.js";

export function describeStep(step: Step): string {
  switch (step.kind) {
    case "create-volume":
      return `create volume ${step.volume.name}`;
    case "set-volume":
      return `set volume ${step.volume.name}`;
    case "import-image":
      return `import image ${step.image.name}`;
    case "allocate":
    case "free":
      return `${step.kind} ${step.cell}`;
    case "set-limit":
      return `set ${step.cell} ${step.file} to ${JSON.stringify(step.text)}`;
    case "publish":
      return `publish ${step.cell} ${step.ports.map(describePort).join(" ") || "nothing"}`;
    case "start":
    case "await":
    case "stop":
    case "hand-over":
    case "adjust":
    case "pause":
      return `${step.kind} ${unitKey(step)}`;
  }
}
