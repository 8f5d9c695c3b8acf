#!/usr/bin/env node
// Runs GoogleSQL with ZetaSQL's reference implementation; see README.md. A JSON request a line, a JSON answer a line.
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Engine, Refused, Unsupported } from './src/engine.js';
import { show } from './src/values.js';

const { values } = parseArgs({ options: { project: { type: 'string', default: 'p' },
  'time-zone': { type: 'string', default: 'UTC' } } });

/** {"sql", "parameters"} -> {"columns", "types", "rows"} of a query, {"inserted", "updated", "deleted"}, or {"error"};
 *  {"forget": true} -> no tables; {"timeZone"} -> another default time zone, over the same tables. */
async function answer(engine, { sql, parameters, forget, timeZone }) {
  if (forget) engine.tables = new Map();
  if (timeZone) engine.options.defaultTimezone = timeZone;
  if (forget || timeZone) return {};
  try {
    const { columns, rows, ...counts } = await engine.run(sql, parameters);
    if (!columns) return counts;
    return { columns: columns.map(({ name }) => name), types: columns.map(({ type }) => type.typeKind),
      rows: rows.map((row) => row.map(show)) };
  } catch (error) {
    if (error instanceof Unsupported) return { unsupported: error.message };
    if (error instanceof Refused) return { error: error.message };
    if (error.code !== undefined) return { error: error.details }; // which may be empty
    throw error; // the server is in trouble
  }
}

async function main() {
  const engine = await Engine.open({ project: values.project, timeZone: values['time-zone'] });
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    process.stdout.write(`${JSON.stringify(await answer(engine, JSON.parse(line)))}\n`);
  }
  await engine.close();
}

main().catch((error) => {
  console.error(`googlesql-execute: ${error.stack}`);
  process.exit(2);
});
