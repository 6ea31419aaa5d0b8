export {
  LABEL_PATTERN,
  MAX_CELL_DEPTH,
  MAX_CELL_NAME_LENGTH,
  fileNameOf,
  isCellName,
  isLabel,
  monolithOf,
  parentOf,
} from "./names.js";
export type { CellName, ImageName, MonolithName, UnitName, VolumeName } from "./names.js";
export type {
  BoundarySpec,
  CellSpec,
  FileSpec,
  ImageSpec,
  MonolithSpec,
  MountSpec,
  PublishSpec,
  RootSpec,
  SnapshotPolicy,
  TmpfsSpec,
  UpgradeRun,
  UpgradeSpec,
} from "./cell.js";
export type {
  HealthSpec,
  ListenSpec,
  LivenessSpec,
  LogSpec,
  ProbeSpec,
  RestartSpec,
  SignalName,
  StopStep,
  UnitRef,
  UnitSpec,
} from "./unit.js";
export { CONTROLLERS, LIMIT_DEFAULTS, LIMIT_FILES, controllerOf } from "./limits.js";
export type { Controller, LimitFile, Limits } from "./limits.js";
export type { BlockDevice, HostCapacity, NumaNode, Topology } from "./host.js";
export type {
  BudgetPart,
  BudgetRow,
  BudgetSpec,
  BudgetUse,
  ExclusiveSpec,
  OneOffs,
} from "./budget.js";
export { numbersOf } from "./number-list.js";
export type { SettingsSpec } from "./settings.js";
export { SIZES, formatSize } from "./size.js";
export { KEY_FORMATS, VOLUME_DEFAULTS, VOLUME_PROMISES, VOLUME_PROPERTIES } from "./volume.js";
export type {
  EncryptionSpec,
  VolumeFeature,
  VolumeProperties,
  VolumeProperty,
  VolumeSpec,
} from "./volume.js";
export type { BtrfsHealth, PoolHealth, Scrub, ZfsDevice, ZfsHealth } from "./pool.js";
export { isSnapshotName, keptByClone } from "./snapshot.js";
export type { SnapshotName, SnapshotStatus, VolumeSnapshot } from "./snapshot.js";
export type { CellStats } from "./stats.js";
export { CELL_STATES, UNIT_STATES } from "./status.js";
export type {
  CellState,
  CellStatus,
  ExitStatus,
  ImageStatus,
  MountSource,
  Observed,
  UnitState,
  UnitStatus,
} from "./status.js";
export type { Desired, Step, StepKind } from "./step.js";
export { PRESSURE_RESOURCES } from "./event.js";
export type { Event, EventBody, PressureFact } from "./event.js";
export type { Operation, OperationError, OperationState } from "./operation.js";
