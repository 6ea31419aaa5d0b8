// Puts things in the order their dependencies ask for.

/**
 * Dependencies first. What waits for nothing comes before what waits for something, so that the independent run at
 * the same time; among equals the given order stays. An edge that would close a cycle counts for nothing.
 */
export function orderByDependency<T>(
  nodes: readonly T[],
  dependenciesOf: (node: T) => readonly T[],
): readonly T[] {
  const depths = new Map<T, number>();
  const depthOf = (node: T): number => {
    const known = depths.get(node);
    if (known !== undefined) return known;
    depths.set(node, -1); // on the way: an edge back to it adds nothing
    const depth = 1 + Math.max(-1, ...dependenciesOf(node).map(depthOf));
    depths.set(node, depth);
    return depth;
  };
  return nodes
    .map((node) => ({ node, depth: depthOf(node) }))
    .sort((a, b) => a.depth - b.depth)
    .map(({ node }) => node);
}
