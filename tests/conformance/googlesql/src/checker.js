// Runs statements through the analyzer and prints what it finds.
import { analyzerOptions, bigqueryProblem, languageOptions } from './bigquery.js';
import { Catalog } from './catalog.js';
import { leaf, typeName } from './nodes.js';
import { readStatements } from './statements.js';

const CREATES = /^CREATE\s+(OR\s+REPLACE\s+)?((EXTERNAL|SNAPSHOT|MATERIALIZED)\s+)?(TABLE(?!\s+FUNCTION)|VIEW)\b/i;

export class Checker {
  passed = 0;
  failed = 0;
  checked = new Set(); // "file:byte" of each statement that was checked

  /** options: those of the command line. */
  static async create(server, options) {
    const checker = Object.assign(new Checker(), { server, options, language: await languageOptions(server) });
    checker.schema = new Catalog(server, checker.language, options);
    checker.analyzer = analyzerOptions(checker.language, []);
    if (options.param.length) await checker.declare(options.param);
    return checker;
  }

  /** Lets ZetaSQL resolve the types of parameters as if they were columns. */
  async declare(parameters) {
    const input = `CREATE TABLE d.t (${parameters.map((text) => text.replace(/^(\w+)=/, '`$1` ')).join(', ')})`;
    const { error, node } = await this.analyze({ location: { input, bytePosition: 0, allowResume: true } }, this.schema);
    if (error) throw new Error(`--param: ${error.message}`);
    this.analyzer = analyzerOptions(this.language, node.columnDefinitionList.map(({ name, type }) => ({ name, type })));
  }

  /** Analyzes one statement: { kind, node }, or { error: { line, column, message } }. */
  async analyze({ file, line, column, location, isScript }, catalog) {
    const fail = (message, at = [line, column]) => ({ error: { line: at[0], column: at[1], message } });
    if (isScript) return fail('a scripting statement (BEGIN ... END, DECLARE, IF, ...) cannot be analyzed');
    try {
      const request = { options: this.analyzer, registeredCatalogId: await catalog.id(), parseResumeLocation: location };
      const [kind, node] = leaf((await this.server.call('analyze', request)).resolvedStatement);
      const problem = bigqueryProblem(node);
      return problem ? fail(`BigQuery: ${problem}`) : { kind, node };
    } catch (error) {
      if (!error.details) throw new Error(`${file}:${line}: ${error.message}`);
      const [, message, at] = /^([^]*?)(?: \[at ([\d:]+)\])?$/.exec(error.details);
      return fail(message.replace(/\s+/g, ' '), at?.split(':'));
    }
  }

  async check(statement, catalog) {
    this.settle(statement, await this.analyze(statement, catalog), catalog);
  }

  /** Counts and prints the result of a statement, and does its DDL to the catalog. */
  settle({ file, line, location }, { error, kind, node }, catalog) {
    this.checked.add(`${file}:${location.bytePosition}`);
    this[error ? 'failed' : 'passed'] += 1;
    if (error) console.log(`${file}:${error.line}:${error.column}: ${error.message}`);
    else if (this.options.verbose) console.log(`ok ${file}:${line}`);
    if (!error) catalog.apply(kind, node);
  }

  /** Checks what the --ddl files create (tables and views) and alter (tables), which fills the catalog for all other
   *  files. The order does not matter: a CREATE that fails may refer to another table (LIKE, REFERENCES), so it is
   *  tried again as long as others pass; and the ALTER TABLEs come last. */
  async loadSchema(files) {
    const statements = [];
    for (const file of files) statements.push(...await readStatements(this.server, this.language, file));
    let creates = statements.filter(({ text }) => CREATES.test(text));
    for (let stuck = false; creates.length && !stuck;) {
      const results = [];
      for (const statement of creates) results.push([statement, await this.analyze(statement, this.schema)]);
      const failures = results.filter(([, { error }]) => error);
      stuck = failures.length === results.length;
      for (const [statement, result] of results) if (stuck || !result.error) this.settle(statement, result, this.schema);
      creates = failures.map(([statement]) => statement);
    }
    const alters = statements.filter(({ text }) => /^ALTER\s+TABLE\b/i.test(text));
    for (const statement of alters) await this.check(statement, this.schema);
    if (this.options.types) printTypes(this.schema.tables);
  }

  /** Checks a file as a script: its own DDL counts for its later statements, and for no other file. */
  async checkFile(file) {
    await this.schema.id(); // so that a file without DDL needs no catalog of its own
    const catalog = this.schema.copy();
    for (const statement of await readStatements(this.server, this.language, file)) {
      if (!this.checked.has(`${file}:${statement.location.bytePosition}`)) await this.check(statement, catalog);
    }
    const isOwn = ([name, columns]) => columns !== this.schema.tables.get(name);
    if (this.options.types) printTypes([...catalog.tables].filter(isOwn));
  }
}

function printTypes(tables) {
  for (const [table, columns] of tables) {
    for (const { name, type, annotations } of columns) {
      console.log([table, name, typeName(type, annotations), ...(annotations?.notNull ? ['NOT NULL'] : [])].join('\t'));
    }
  }
}
