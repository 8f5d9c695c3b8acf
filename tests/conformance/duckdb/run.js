// Translates BigQuery's SQL to DuckDB's and runs it there. Reads a JSON list of steps from the file given:
// {"bigquery": sql} is translated and run, {"duckdb": sql} is run as it is, {"rows": sql} is run and its rows,
// as lists of texts, are added to the list that is printed at the end.
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import * as polyglot from '@polyglot-sql/sdk';

// What the translator leaves to the engine's defaults, and what DuckDB has no words for.
const REPAIRS = [
  [/\bDECIMAL\b(?!\()/g, 'DECIMAL(38, 9)'],
  [/\bbignumeric\b/gi, 'DECIMAL(38, 9)'],
  [/\bgeography\b/gi, 'VARCHAR'],
  [/, PRIMARY KEY \([^)]*\) NOT ENFORCED/g, ''],
];

function translate(sql) {
  const { success, sql: translated, error } = polyglot.transpile(sql, 'bigquery', 'duckdb');
  if (!success) throw new Error(`not translated: ${error}: ${sql}`);
  return translated.map((text) => (/^CREATE/i.test(text) ? REPAIRS.reduce((all, [from, to]) => all.replace(from, to), text) : text));
}

await polyglot.init?.();
const connection = await (await DuckDBInstance.create(':memory:')).connect();
const results = [];
for (const step of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  if (step.bigquery) for (const sql of translate(step.bigquery)) await connection.run(sql);
  else if (step.duckdb) await connection.run(step.duckdb);
  else results.push((await (await connection.runAndReadAll(step.rows)).getRows()));
}
console.log(JSON.stringify(results));
