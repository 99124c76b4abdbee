// Renders docs/openapi.json to one HTML file, which requests nothing when it is opened.

import { readFile, writeFile } from "node:fs/promises";

const [document, page] = process.argv.slice(2);
const read = (path) => readFile(path, "utf8");
const api = JSON.parse(await read(document));
const bundle = await read(new URL("node_modules/redoc/bundles/redoc.standalone.js", import.meta.url));

// The bundle loads one picture, which the policy below would block.
const logo = "https://cdn.redoc.ly/redoc/logo-mini.svg";
if (!bundle.includes(logo)) throw new Error(`the bundle of redoc no longer has ${logo}`);
const nothing = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>";

// In an element, these would end the script or hide its end. They occur in texts and patterns, where `\x3c` is the same.
const inScript = (text) => text.replaceAll(/<(?=\/?script|!--)/gi, "\\x3c");
const fontFamily = "system-ui, sans-serif";
const options = {
  hideDownloadButtons: true,
  sortRequiredPropsFirst: true,
  theme: { typography: { fontFamily, headings: { fontFamily } } },
};

await writeFile(page, `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; worker-src blob:">
<title>${api.info.title}</title>
<style>body { margin: 0 }</style>
<div id="page"></div>
<script>${inScript(bundle.replaceAll(logo, nothing))}</script>
<script>Redoc.init(${inScript(JSON.stringify(api))}, ${JSON.stringify(options)}, document.getElementById("page"));</script>
</html>
`);
