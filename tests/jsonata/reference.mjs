// Evaluates JSONata expressions with the reference implementation, as Step Functions does:
// https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
// Reads [{expression, bindings}] from standard input and writes [{value}] or [{error}].
import { readFileSync } from "node:fs";
import jsonata from "jsonata";

// Step Functions adds it, and its page has this as the example:
// $partition([1,2,3,4], 2) is [[1,2],[3,4]]; numbers are rounded down.
const partition = (array, size) => {
  const step = Math.floor(size);
  if (!Array.isArray(array) || step <= 0) throw new Error("$partition of no array");
  const found = [];
  for (let at = 0; at < array.length; at += step) found.push(array.slice(at, at + step));
  return found;
};

async function evaluate({ expression, bindings }) {
  try {
    const parsed = jsonata(expression);
    parsed.registerFunction("partition", partition);
    const value = await parsed.evaluate(undefined, bindings);
    if (value === undefined || typeof value === "function") return { error: "undefined" };
    return { value };
  } catch (error) {
    return { error: error.code ?? error.message };
  }
}

const found = [];
for (const asked of JSON.parse(readFileSync(0, "utf8"))) found.push(await evaluate(asked));
process.stdout.write(JSON.stringify(found));
