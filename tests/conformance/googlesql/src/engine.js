// A small BigQuery: tables in memory, statements run by ZetaSQL's reference implementation.
//
// The engine evaluates queries, INSERT, UPDATE and DELETE over tables whose content is sent along. Ours are what it does
// not have: keeping the tables between statements, MERGE (merge.js), TRUNCATE, transactions, NOT NULL.
import { analyzerOptions, languageOptions, typeAliases } from './bigquery.js';
import { alteredColumns, createdColumns } from './catalog.js';
import { runMerge } from './merge.js';
import { leaf, typeName } from './nodes.js';
import { names, withFullNames } from './paths.js';
import { startServer } from './server.js';
import { splitStatements } from './statements.js';

export const INT64 = { typeKind: 'TYPE_INT64' };
/** A hidden column that numbers a table's rows: an UPDATE's answer says by the key which rows it changed. */
export const ROW = '_bq_row';
export const integer = (cell) => Number(cell.int64Value);
export const numbered = (rows) => rows.map((row, n) => [{ int64Value: String(n) }, ...row]);

/** A statement that this engine does not run, whether BigQuery would or not. */
export class Unsupported extends Error {}

export class Engine {
  /** name -> { columns: [{ name, type, required }], rows: [[cell]] }; neither list is ever changed in place. */
  tables = new Map();
  params = [];

  static async open({ project, timeZone = 'UTC' }) {
    const engine = Object.assign(new Engine(), { project, server: await startServer(String) });
    engine.language = await languageOptions(engine.server);
    engine.options = { ...analyzerOptions(engine.language, []), defaultTimezone: timeZone,
      allowUndeclaredParameters: false };
    return engine;
  }

  close() {
    return this.server.stop();
  }

  /** A request about a statement; extra are tables for this one alone, which hide others of their names. */
  request(sql, extra = {}) {
    const table = [];
    const tableContent = {};
    for (const [name, { columns, rows, key }] of new Map([...this.tables, ...Object.entries(extra)])) {
      table.push({ name, column: columns.map(({ name: column, type }) => ({ name: column, type })),
        ...(key && { primaryKeyColumnIndex: [0] }) });
      tableContent[name] = { tableData: { row: rows.map((cell) => ({ cell })) } };
    }
    const builtinFunctionOptions = { languageOptions: this.language };
    const simpleCatalog = { table, catalog: [], namedType: typeAliases, builtinFunctionOptions };
    return { sql, options: this.options, params: this.params, simpleCatalog, tableContent };
  }

  /** Analyzes a statement with all its names and types: the resolved [kind, node]. */
  async analyze(sql, extra) {
    const { options, simpleCatalog } = this.request(sql, extra);
    const reply = await this.server.call('analyze', { options, simpleCatalog, sqlStatement: sql });
    return leaf(reply.resolvedStatement);
  }

  /** { columns: [{ name, type }], rows } of a query. */
  async query(sql, extra) {
    const { prepared, content } = await this.server.call('evaluateQuery', this.request(sql, extra));
    return { columns: prepared.columns, rows: content.tableData?.row.map(({ cell }) => cell) ?? [] };
  }

  /** The rows that an INSERT, UPDATE or DELETE gives: [{ operation, cell, oldPrimaryKey }]. */
  async modify(sql, extra) {
    return (await this.server.call('evaluateModify', this.request(sql, extra))).content ?? [];
  }

  /** A table with a first column that numbers its rows and is its key. */
  withRowNumbers({ columns, rows }) {
    return { columns: [{ name: ROW, type: INT64 }, ...columns], rows: numbered(rows), key: true };
  }

  /** The name under which a table is known here, of its path; undefined if there is none. */
  full(parts) {
    const name = parts.join('.');
    return [name, `${this.project}.${name}`].find((known) => this.tables.has(known));
  }

  named(path) {
    const name = this.full(names(path));
    if (name === undefined) throw new Unsupported(`there is no table ${names(path).join('.')}`);
    return name;
  }

  /** Replaces a table's rows; fails if a column that is NOT NULL would hold NULL. */
  put(name, rows) {
    const table = this.tables.get(name);
    table.columns.forEach(({ name: column, required }, i) => {
      const isNull = (row) => !Object.keys(row[i]).length;
      if (required && rows.some(isNull)) throw new Refused(`Required field ${column} cannot be null`);
    });
    this.tables.set(name, { ...table, rows });
  }

  /** Declares query parameters as REST has them, for the next script. */
  async declare(parameters) {
    const typed = ({ type }, { value }) => (value === undefined || value === null ? `cast(null as ${type})`
      : type === 'BYTES' ? `from_base64(${JSON.stringify(value)})` : `cast(${JSON.stringify(String(value))} as ${type})`);
    const struct = ({ structTypes }, { structValues }) => `(${structTypes.map(({ name, type }) => typed(type, structValues[name])).join(', ')})`;
    const named = ({ type, structTypes }) => (structTypes
      ? `struct<${structTypes.map(({ name, type: each }) => `\`${name}\` ${each.type}`).join(', ')}>` : type);
    const literal = ({ parameterType: kind, parameterValue: value = {} }) => (kind.arrayType
      ? `array<${named(kind.arrayType)}>[${(value.arrayValues ?? []).map((each) => (kind.arrayType.structTypes ? struct : typed)(kind.arrayType, each)).join(', ')}]`
      : typed(kind, value));
    [this.params, this.options.queryParameters] = [[], []];
    if (!parameters.length) return;
    if (parameters.some(({ name }) => !name)) throw new Unsupported('positional parameters');
    const { columns, rows: [row] } = await this.query(`select ${parameters.map(literal).join(', ')}`);
    this.params = parameters.map(({ name }, i) => ({ name, value: row[i] }));
    this.options.queryParameters = parameters.map(({ name }, i) => ({ name, type: columns[i].type }));
  }

  /** Runs a script; the result of its last statement: { columns, rows } of a query, counts of DML, else {}. */
  async run(sql, parameters = []) {
    const before = this.tables;
    this.saved = undefined;
    let result = {};
    try {
      await this.declare(parameters);
      for (const { text } of await splitStatements(this.server, this.language, 'sql', Buffer.from(sql))) {
        result = await this.statement(Buffer.from(text, 'latin1').toString().replace(/;\s*$/, ''));
      }
    } catch (error) {
      this.tables = this.saved ?? this.tables;
      throw error;
    } finally {
      this.params = [];
    }
    this.tables = this.saved ?? this.tables; // a transaction that is open at the end is undone
    return result;
  }

  async statement(sql) {
    const { parsedStatement } = await this.server.call('parse', { sqlStatement: sql, options: this.language });
    const [kind, node] = leaf(parsedStatement);
    const text = withFullNames(sql, kind, node, (parts) => this.full(parts));
    const target = () => this.named(node.targetPath.astPathExpressionNode ?? node.targetPath);
    switch (kind) {
      case 'astQueryStatementNode': return this.query(text);
      case 'astInsertStatementNode': return this.insert(text, target(), node.columnList?.identifiers.map(({ idString }) => idString));
      case 'astUpdateStatementNode':
      case 'astDeleteStatementNode': return this.change(text, target());
      case 'astMergeStatementNode': return runMerge(this, text, target());
      case 'astTruncateStatementNode': await this.analyze(text); return this.truncate(target());
      case 'astBeginStatementNode': this.saved = new Map(this.tables); return {};
      case 'astCommitStatementNode': this.saved = undefined; return {};
      case 'astRollbackStatementNode': this.tables = this.saved; this.saved = undefined; return {};
      default: return this.ddl(...await this.analyze(text));
    }
  }

  /** named: the columns that the statement lists, if it does; the others get their defaults. */
  async insert(sql, name, named) {
    const added = await this.modify(sql);
    const { columns, rows } = this.tables.get(name);
    const isNamed = (column) => named.some((one) => one.toLowerCase() === column.name.toLowerCase());
    for (const [i, column] of columns.entries()) {
      if (!column.default || !named || isNamed(column)) continue;
      const { rows: [[value]] } = await this.query(`select cast((${column.default}) as ${typeName(column.type)})`);
      for (const { cell } of added) cell[i] = value;
    }
    this.put(name, [...rows, ...added.map(({ cell }) => cell)]);
    return { inserted: added.length, updated: 0, deleted: 0 };
  }

  async change(sql, name) {
    await this.analyze(sql); // without the column that is about to be added
    const table = this.tables.get(name);
    const rows = [...table.rows];
    const counts = { inserted: 0, updated: 0, deleted: 0 };
    for (const { operation, cell, oldPrimaryKey: [n] } of await this.modify(sql, { [name]: this.withRowNumbers(table) })) {
      rows[integer(n)] = operation === 'DELETE' ? undefined : cell.slice(1);
      counts[operation === 'DELETE' ? 'deleted' : 'updated'] += 1;
    }
    this.put(name, rows.filter(Boolean));
    return counts;
  }

  truncate(name) {
    const deleted = this.tables.get(name).rows.length;
    this.put(name, []);
    return { inserted: 0, updated: 0, deleted };
  }

  ddl(kind, node) {
    if (this.saved) throw new Refused('DDL statements on permanent tables are not allowed inside a transaction');
    const path = node.namePath ?? [];
    const known = this.full(path);
    const name = known ?? (path.length > 2 ? path : [this.project, ...path]).join('.');
    if (kind === 'resolvedCreateTableStmtNode') {
      const columns = createdColumns(node).map((column, i) => ({ ...column, required: column.annotations?.notNull,
        default: node.columnDefinitionList[i].defaultValue?.sql }));
      if (!known) this.tables.set(name, { columns, rows: [] });
    } else if (kind === 'resolvedDropStmtNode') {
      this.tables.delete(name);
    } else if (kind === 'resolvedAlterTableStmtNode' && known) {
      const { columns, rows } = this.tables.get(known);
      const altered = node.alterActionList.map((any) => leaf(any)).reduce(alteredColumns, columns);
      const cells = (row) => altered.map(({ name: column }) => row[columns.findIndex((old) => old.name === column)] ?? {});
      this.tables.set(known, { columns: altered, rows: rows.map(cells) });
    } else throw new Unsupported(`${kind} is not run`);
    return {};
  }
}

/** A rule of BigQuery's that the reference implementation leaves to its storage. */
export class Refused extends Error {}
