// Imports every handler on CPython 3.14, which npm's pyodide is, with the layer for Lambda.
// Arguments: the layer's Python folder, the functions' code, a config. Prints JSON.
import { readFileSync } from "node:fs";
import { loadPyodide } from "pyodide";

const [layer, code, config] = process.argv.slice(2);
const python = await loadPyodide();
for (const [place, root] of [["/opt/python", layer], ["/var/task", code]]) {
  python.FS.mkdirTree(place);
  python.FS.mount(python.FS.filesystems.NODEFS, { root }, place);
}
python.globals.set("TEXT", readFileSync(config, "utf8"));
const text = readFileSync(new URL("runtime.txt", import.meta.url), "utf8");
try {
  process.stdout.write(python.runPython(text));
} catch (error) {
  process.stderr.write(error.message); // else Node prints all of pyodide beside it
  process.exitCode = 1;
}
