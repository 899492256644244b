// Compiles a folder's modules with CPython 3.14, which npm's pyodide is, for Lambda's own Python.
// Arguments: the folder, and where the modules will lie. Prints the version and its magic number.
// Bytecode is the same on every machine: https://docs.python.org/3/library/py_compile.html.
import { loadPyodide } from "pyodide";

const [root, place] = process.argv.slice(2);
const python = await loadPyodide();
python.FS.mkdirTree(place);
python.FS.mount(python.FS.filesystems.NODEFS, { root }, place);
python.globals.set("PLACE", place);
const told = python.runPython(`
import compileall, json, py_compile, sys
done = compileall.compile_dir(
    PLACE, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
)
json.dumps([bool(done), *sys.version_info[:2]])
`);
process.stdout.write(told);
