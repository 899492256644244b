// AWS's own language service for the States Language: prints what it finds in a definition.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const path = require.resolve("amazon-states-language-service");
const { getLanguageService } = require(path);
const { TextDocument } = createRequire(path)("vscode-json-languageservice");

const service = getLanguageService({});
const text = readFileSync(0, "utf8");
const document = TextDocument.create("file:///definition.asl.json", "asl", 1, text);
const found = await service.doValidation(document, service.parseJSONDocument(document));
const told = found.map((one) => `${one.range.start.line + 1}: ${one.message}`);
process.stdout.write(JSON.stringify(told));
