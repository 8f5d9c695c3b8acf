// Where a parsed statement names tables, and the statement with other names for them.

/** [start, end) of a node in the statement's bytes. */
export function range(node) {
  const at = node.parseLocationRange;
  if (at) return [at.start, at.end];
  const inner = node.parent ?? node[node.node];
  if (!inner) throw new Error('the parser gave no place for a part of the statement');
  return range(inner);
}

/** The parts of a path, as in [p, d, t]. */
export const names = (path) => path.names.map(({ idString }) => idString);

/** Calls found(path, node) for each path in FROM, USING and INTO, with the node that may have an alias. */
function eachTable(node, found) {
  if (node === null || typeof node !== 'object') return;
  for (const path of [node.pathExpr, node.targetPath?.astPathExpressionNode ?? node.targetPath]) {
    if (path?.names) found(path, node);
  }
  for (const child of Object.values(node)) eachTable(child, found);
}

const TAKE_NO_ALIAS = /^ast(Insert|Truncate|Alter|Drop)/;

/** A statement with each path that full(parts) knows as one quoted name, and with the alias that it had by itself. */
export function withFullNames(sql, kind, parsed, full) {
  const edits = [];
  const found = (path, node) => {
    const name = full(names(path));
    if (name === undefined) return;
    const needsAlias = !node.alias && !(node === parsed && TAKE_NO_ALIAS.test(kind));
    const alias = needsAlias ? ` as \`${names(path).join('.').split('.').at(-1)}\`` : '';
    edits.push({ range: range(path), text: `\`${name}\`${alias}` });
  };
  if (parsed.path?.names) found(parsed.path, parsed); // of DDL
  eachTable(parsed, found);
  edits.sort((a, b) => b.range[0] - a.range[0]);
  return edits.reduce((text, { range: [start, end], text: put }) => Buffer.concat(
    [text.subarray(0, start), Buffer.from(put), text.subarray(end)]), Buffer.from(sql)).toString();
}
