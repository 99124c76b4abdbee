// Validates AsyncAPI documents. Hints, such as the existence of a newer AsyncAPI, are no faults.

import { readFile } from "node:fs/promises";
import { DiagnosticSeverity, Parser } from "@asyncapi/parser";

for (const path of process.argv.slice(2)) {
  const { document, diagnostics } = await new Parser().parse(await readFile(path, "utf8"), { source: path });
  const faults = diagnostics.filter(({ severity }) => severity <= DiagnosticSeverity.Warning);
  for (const { code, message, path: place } of faults) {
    console.error(`${path}: ${code}: ${message} at ${place.join(".")}`);
  }
  if (!document || faults.length > 0) {
    process.exitCode = 1;
  } else {
    console.log(`${path}: valid AsyncAPI ${document.version()}`);
  }
}
