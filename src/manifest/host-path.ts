// Joins paths of the host as text; asks no file system, so symbolic links are not looked at.

/** An absolute, normalised path. @param directory absolute; where a relative path starts */
export function resolveHostPath(directory: string, path: string): string {
  const from = path.startsWith("/") ? path : `${directory}/${path}`;
  const segments: string[] = [];
  for (const segment of from.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`;
}
