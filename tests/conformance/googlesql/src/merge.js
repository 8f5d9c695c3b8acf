// MERGE by an engine that has none. The whole statement is analyzed; the engine then evaluates its ON, each WHEN's
// condition, each assignment and each inserted value, over the tables as they were before. Ours are two rules of the
// documentation: the first WHEN whose condition is true acts, and an updated row has one source row.
import { INT64, Refused, ROW, integer, numbered } from './engine.js';
import { leaf } from './nodes.js';
import { range } from './paths.js';

const SOURCE = '_bq_source';
const SOURCE_ROW = '_bq_source_row';
const MEETING = '_bq_meeting';
const NONE = {};

export async function runMerge(engine, sql, target) {
  await engine.analyze(sql);
  const merge = await Lowered.create(engine, sql, target);
  const meetings = await merge.meetings();
  const acts = [];
  for (const type of Object.keys(meetings)) acts.push(...await merge.firstTrue(type, meetings[type]));
  refuseSecondSource(acts);
  return merge.act(acts);
}

/** acts: [{ clause, t, s }], t and s being cells with the numbers of a target row and a source row. */
function refuseSecondSource(acts) {
  const actions = new Map();
  for (const { clause, t } of acts) if (t !== NONE) actions.set(integer(t), [...actions.get(integer(t)) ?? [], clause.action.actionType]);
  for (const types of actions.values()) {
    if (types.length > 1 && types.includes('UPDATE')) {
      throw new Refused('UPDATE/MERGE must match at most one source row for each target row');
    }
  }
}

class Lowered {
  static async create(engine, sql, target) {
    const { parsedStatement } = await engine.server.call('parse', { sqlStatement: sql, options: engine.language });
    const [, node] = leaf(parsedStatement);
    const bytes = Buffer.from(sql);
    const text = (part) => bytes.subarray(...range(part)).toString();
    const [, using] = leaf(node.tableExpression);
    const sourceAlias = using.alias?.identifier.idString ?? SOURCE;
    const before = engine.tables.get(target);
    const merge = Object.assign(new Lowered(), { engine, target, text, before, clauses: node.whenClauses.clauseList,
      on: text(node.mergeCondition), targetAlias: node.alias?.identifier.idString ?? target, sourceAlias });
    const { columns, rows } = await engine.query(`select * from ${text(node.tableExpression)}`);
    const source = { columns: [{ name: SOURCE_ROW, type: INT64 }, ...columns], rows: numbered(rows) };
    merge.tables = { [target]: engine.withRowNumbers(before), [SOURCE]: source };
    merge.from = { t: `\`${target}\` as \`${merge.targetAlias}\``, s: `\`${SOURCE}\` as \`${sourceAlias}\`` };
    merge.number = { t: `\`${merge.targetAlias}\`.${ROW}`, s: `\`${sourceAlias}\`.${SOURCE_ROW}` };
    return merge;
  }

  /** Which rows meet: {matchType: [{ t, s }]}. */
  async meetings() {
    const { number: { t, s }, from, tables } = this;
    const { rows } = await this.engine.query(`select ${t}, ${s} from ${from.t} join ${from.s} on (${this.on})`, tables);
    const met = [0, 1].map((side) => new Set(rows.map((row) => integer(row[side]))));
    const lone = (name, side) => tables[name].rows.map(([n]) => n).filter((n) => !met[side].has(integer(n)));
    return {
      MATCHED: rows.map(([a, b]) => ({ t: a, s: b })),
      NOT_MATCHED_BY_TARGET: lone(SOURCE, 1).map((n) => ({ t: NONE, s: n })),
      NOT_MATCHED_BY_SOURCE: lone(this.target, 0).map((n) => ({ t: n, s: NONE })),
    };
  }

  meeting(rows) {
    const columns = ['t', 's'].map((side) => ({ name: `_bq_${side}`, type: INT64 }));
    return { ...this.tables, [MEETING]: { columns, rows: rows.map(({ t, s }) => [t, s]) } };
  }

  /** FROM with the rows that meet, and of both tables those sides that a WHEN of this type sees. */
  sides(type) {
    const seen = { MATCHED: ['t', 's'], NOT_MATCHED_BY_TARGET: ['s'], NOT_MATCHED_BY_SOURCE: ['t'] }[type];
    return [MEETING, ...seen.map((side) => `join ${this.from[side]} on ${MEETING}._bq_${side} = ${this.number[side]}`)].join(' ');
  }

  /** What acts on the rows that meet: the first WHEN of their type whose condition is true. */
  async firstTrue(type, meetings) {
    const acts = [];
    let left = meetings;
    for (const clause of this.clauses.filter(({ matchType }) => matchType === type)) {
      if (!left.length) break;
      const where = clause.searchCondition ? this.text(clause.searchCondition) : 'true';
      const { rows } = await this.engine.query(
        `select ${MEETING}._bq_t, ${MEETING}._bq_s from ${this.sides(type)} where (${where})`, this.meeting(left));
      const pair = (t, s) => `${t.int64Value} ${s.int64Value}`;
      const taken = new Set(rows.map((row) => pair(...row)));
      const isTaken = ({ t, s }) => taken.has(pair(t, s));
      acts.push(...left.filter(isTaken).map((rowsThatMeet) => ({ clause, ...rowsThatMeet })));
      left = left.filter((rowsThatMeet) => !isTaken(rowsThatMeet));
    }
    return acts;
  }

  async act(acts) {
    const rows = [...this.before.rows];
    const added = [];
    const counts = { inserted: 0, updated: 0, deleted: 0 };
    for (const clause of this.clauses) {
      const mine = acts.filter((act) => act.clause === clause);
      if (!mine.length) continue;
      if (clause.action.actionType === 'DELETE') {
        for (const { t } of mine) {
          counts.deleted += rows[integer(t)] ? 1 : 0;
          rows[integer(t)] = undefined;
        }
      } else if (clause.action.actionType === 'UPDATE') {
        for (const { cell, oldPrimaryKey: [n] } of await this.update(clause, mine)) rows[integer(n)] = cell.slice(1);
        counts.updated += mine.length;
      } else {
        added.push(...(await this.insert(clause, mine)).map(({ cell }) => cell));
        counts.inserted += mine.length;
      }
    }
    this.engine.put(this.target, [...rows.filter(Boolean), ...added]);
    return counts;
  }

  update({ action, matchType }, acts) {
    const other = matchType === 'MATCHED' ? ` join ${this.from.s} on ${MEETING}._bq_s = ${this.number.s}` : '';
    return this.engine.modify(`update ${this.from.t} set ${this.text(action.updateItemList)}
      from ${MEETING}${other} where ${MEETING}._bq_t = ${this.number.t}`, this.meeting(acts));
  }

  insert({ action: { insertColumnList: columns, insertRow }, matchType }, acts) {
    const all = this.before.columns.map(({ name }) => `\`${name}\``);
    const list = columns?.identifiers.length ? this.text(columns) : `(${all.join(', ')})`;
    const values = insertRow.values?.length ? insertRow.values.map(this.text) : all.map((name) => `\`${this.sourceAlias}\`.${name}`);
    // Without the row numbers: an INSERT into a table with a key ends the server.
    const tables = { ...this.meeting(acts), [this.target]: this.before };
    return this.engine.modify(`insert into \`${this.target}\` ${list}
      select ${values.map((value) => `(${value})`).join(', ')} from ${this.sides(matchType)}`, tables);
  }
}
