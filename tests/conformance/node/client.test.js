// Google's own client for Node.js, unmodified, drives bqlocal through what an application does.
// Environment: BQLOCAL_URL, BQLOCAL_PROJECT, AVRO_FILE (three rows of id, name, born, paid), NDJSON_FILE.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { BigQuery } from '@google-cloud/bigquery';
import { PassThroughClient } from 'google-auth-library';

const { BQLOCAL_URL, BQLOCAL_PROJECT, AVRO_FILE, NDJSON_FILE } = process.env;
const bigquery = new BigQuery({
  projectId: BQLOCAL_PROJECT, apiEndpoint: BQLOCAL_URL, authClient: new PassThroughClient(),
});
const dataset = bigquery.dataset('node');
const schema = [
  { name: 'id', type: 'INT64', mode: 'REQUIRED' }, { name: 'name', type: 'STRING' },
  { name: 'born', type: 'DATE' }, { name: 'paid', type: 'NUMERIC' },
];

/** Rejects with an error of Google's shape: the HTTP code and the reason. */
const fails = (promise, code, reason) => assert.rejects(promise, (error) => {
  assert.equal(error.code, code, error.message);
  assert.equal(error.errors?.[0]?.reason, reason, error.message);
  return true;
});
const select = async (sql, options = {}) => (await bigquery.query({ query: sql, ...options }))[0];
const fresh = async (id, options = {}) => (await dataset.createTable(id, { schema, ...options }))[0];

before(async () => { await dataset.create({ location: 'US' }); });

test('a dataset exists once', async () => {
  assert.deepEqual(await dataset.exists(), [true]);
  assert.equal((await dataset.getMetadata())[0].location, 'US');
  assert.ok((await bigquery.getDatasets())[0].some(({ id }) => id === 'node'));
  await fails(bigquery.createDataset('node'), 409, 'duplicate');
  await fails(bigquery.dataset('nosuch').get(), 404, 'notFound');
});

test('a table is made with partitions and clusters, and is found', async () => {
  await fresh('made', {
    timePartitioning: { type: 'MONTH', field: 'born' }, clustering: { fields: ['id', 'name'] },
    labels: { team: 'core' }, description: 'made by Node',
  });
  const [metadata] = await dataset.table('made').getMetadata();
  assert.equal(metadata.timePartitioning.type, 'MONTH');
  assert.deepEqual(metadata.clustering.fields, ['id', 'name']);
  assert.deepEqual([metadata.labels, metadata.description], [{ team: 'core' }, 'made by Node']);
  assert.equal(metadata.schema.fields[0].mode, 'REQUIRED');
  assert.ok((await dataset.getTables())[0].some(({ id }) => id === 'made'));
  await fails(fresh('made'), 409, 'duplicate');
  await fails(dataset.table('nosuch').getMetadata(), 404, 'notFound');
  await fails(dataset.createTable('bad', { schema: [{ name: 'a', type: 'NONSENSE' }] }), 400, 'invalid');
});

test('an Avro file is loaded with its logical types', async () => {
  const table = await fresh('avro');
  const [{ schema }] = await table.getMetadata();
  const [job] = await table.load(AVRO_FILE, { sourceFormat: 'AVRO', useAvroLogicalTypes: true, schema });
  assert.equal(job.status.state, 'DONE');
  assert.equal(job.statistics.load.outputRows, '3');
  const rows = await select('select * from node.avro order by id');
  assert.deepEqual(rows.map(({ id, name, born, paid }) => [id, name, born?.value ?? null, paid?.toFixed() ?? null]),
    [[1, 'one', '2024-02-29', '1.5'], [2, 'zwei größe', null, '-0.000000001'], [3, null, '1969-12-31', null]]);
});

test('newline-delimited JSON is loaded, appended and replaced', async () => {
  const table = await fresh('ndjson');
  const load = (writeDisposition) => table.load(NDJSON_FILE, { sourceFormat: 'NEWLINE_DELIMITED_JSON', writeDisposition });
  const count = async () => (await select('select count(*) as n from node.ndjson'))[0].n;
  await load('WRITE_APPEND');
  await load('WRITE_APPEND');
  assert.equal(await count(), 200);
  await load('WRITE_TRUNCATE');
  assert.equal(await count(), 100);
  await fails(load('WRITE_EMPTY'), undefined, 'duplicate').catch(async (error) => {
    if (error.code !== 'ERR_ASSERTION') throw error; // the client reports a failed job without an HTTP code
    await assert.rejects(load('WRITE_EMPTY'), /Already Exists|duplicate/i);
  });
});

test('a job with an error says so, and changes nothing', async () => {
  const table = await fresh('broken');
  await assert.rejects(table.load(AVRO_FILE, { sourceFormat: 'NEWLINE_DELIMITED_JSON' }), /./);
  assert.deepEqual(await select('select * from node.broken'), []);
});

test('rows come in pages, by list and by query', async () => {
  const table = await fresh('pages');
  await table.load(NDJSON_FILE, { sourceFormat: 'NEWLINE_DELIMITED_JSON' });
  const listed = [];
  let query = { maxResults: 30, autoPaginate: false };
  let pages = 0;
  for (; query; pages += 1) {
    const [rows, next] = await table.getRows(query);
    listed.push(...rows);
    query = next;
  }
  assert.deepEqual([pages, new Set(listed.map(({ id }) => id)).size], [4, 100]);
  const [job] = await bigquery.createQueryJob({ query: 'select id from node.pages order by id' });
  const [first, next] = await job.getQueryResults({ maxResults: 40, autoPaginate: false });
  const [second] = await job.getQueryResults(next);
  assert.deepEqual([first.length, first[0].id, second[0].id], [40, 0, 40]);
  assert.equal((await job.getQueryResults())[0].length, 100);
});

test('values of every type come back', async () => {
  const [row] = await select(`select 9007199254740993 as i, 0.1 as f, true as b, 'é' as s, b'\\x00\\xff' as y,
    numeric '1.000000001' as n, bignumeric '1e-38' as bn, date '0001-01-01' as d, time '23:59:59.999999' as t,
    datetime '9999-12-31 23:59:59.999999' as dt, timestamp '2262-04-11 23:47:16.000001+00' as ts, json '{"a":[1]}' as j,
    cast(null as string) as nothing`, { wrapIntegers: true });
  assert.equal(row.i.value, '9007199254740993');
  assert.deepEqual([row.f, row.b, row.s, row.nothing], [0.1, true, 'é', null]);
  assert.deepEqual(row.y, Buffer.from([0, 255]));
  assert.deepEqual([row.n.toFixed(), row.bn.toFixed(38)], ['1.000000001', `0.${'0'.repeat(37)}1`]);
  assert.deepEqual([row.d.value, row.t.value, row.dt.value], ['0001-01-01', '23:59:59.999999', '9999-12-31T23:59:59.999999']);
  assert.equal(row.ts.value, '2262-04-11T23:47:16.000001000Z');
  assert.deepEqual(JSON.parse(row.j), { a: [1] });
});

test('parameters reach a query', async () => {
  const rows = await select('select @name as name, @n + 1 as n', { params: { name: "O'Hara", n: 41 } });
  assert.deepEqual(rows, [{ name: "O'Hara", n: 42 }]);
});

test('DML and MERGE count what they changed', async () => {
  await fresh('target');
  await fresh('source');
  await select("insert into node.target (id, name) values (1, 'a'), (2, 'b'), (3, 'c')");
  await select("insert into node.source (id, name) values (2, 'B'), (3, null), (4, 'D')");
  const [job] = await bigquery.createQueryJob({ query: `merge into node.target as t using node.source as s on t.id = s.id
    when matched and s.name is null then delete when matched then update set name = s.name
    when not matched then insert (id, name) values (s.id, s.name)` });
  await job.getQueryResults();
  const [{ statistics }] = await job.getMetadata();
  assert.equal(statistics.query.numDmlAffectedRows, '3');
  assert.deepEqual(statistics.query.dmlStats, { insertedRowCount: '1', updatedRowCount: '1', deletedRowCount: '1' });
  assert.deepEqual(await select('select id, name from node.target order by id'),
    [{ id: 1, name: 'a' }, { id: 2, name: 'B' }, { id: 4, name: 'D' }]);
});

test('a table is copied over another', async () => {
  const source = await fresh('copied');
  await select("insert into node.copied (id, name) values (7, 'seven')");
  const target = dataset.table('copy');
  await source.copy(target, { writeDisposition: 'WRITE_TRUNCATE' });
  await source.copy(target, { writeDisposition: 'WRITE_TRUNCATE' });
  assert.deepEqual((await target.getRows())[0].map(({ id, name }) => [id, name]), [[7, 'seven']]);
  await assert.rejects(dataset.table('nosuch').copy(target), /Not found/);
});

test('a patch adds a column, and takes none away', async () => {
  const table = await fresh('patched');
  await select("insert into node.patched (id) values (1)");
  await table.setMetadata({ schema: [...schema, { name: 'score', type: 'FLOAT64' }], labels: { team: 'x' } });
  assert.deepEqual((await select('select id, score from node.patched')), [{ id: 1, score: null }]);
  await fails(table.setMetadata({ schema: schema.slice(0, 2) }), 400, 'invalid');
  await fails(table.setMetadata({ schema: [...schema, { name: 'must', type: 'INT64', mode: 'REQUIRED' }] }), 400, 'invalid');
});

test('wrong SQL and missing tables are errors of the right kind', async () => {
  await fails(select('select from where'), 400, 'invalidQuery');
  await fails(select('select nosuch from node.made'), 400, 'invalidQuery');
  await fails(select('select * from node.nosuch'), 404, 'notFound');
});

test('a dry run runs nothing and knows the bytes', async () => {
  const [job] = await bigquery.createQueryJob({ query: 'select * from node.avro', dryRun: true });
  assert.ok(Number(job.metadata.statistics.totalBytesProcessed) >= 0);
  assert.equal(job.metadata.status.state, 'DONE');
});

test('a job is found again, with what was asked of it', async () => {
  const [job] = await bigquery.createQueryJob({ query: 'select 1 as one', jobId: 'node_job_1', labels: { tool: 'node' } });
  await job.getQueryResults();
  const [found] = await bigquery.job('node_job_1', { location: 'US' }).get();
  assert.equal(found.metadata.configuration.labels.tool, 'node');
  assert.ok((await bigquery.getJobs({ maxResults: 100 }))[0].some(({ id }) => id === 'node_job_1'));
  await fails(bigquery.createQueryJob({ query: 'select 1', jobId: 'node_job_1' }), 409, 'duplicate');
  await fails(bigquery.job('nosuch', { location: 'US' }).getMetadata(), 404, 'notFound');
});

test('media above the limit of one request is loaded all the same', async () => {
  const table = await fresh('stream');
  const lines = readFileSync(NDJSON_FILE, 'utf8');
  const job = await new Promise((resolve, reject) => {
    const stream = table.createWriteStream({ sourceFormat: 'NEWLINE_DELIMITED_JSON' });
    stream.on('error', reject).on('complete', resolve);
    for (let part = 0; part < 50; part += 1) stream.write(lines);
    stream.end();
  });
  assert.equal(job.metadata.statistics.load.outputRows, '5000');
});

test('tables and datasets are deleted', async () => {
  await (await fresh('gone')).delete();
  await fails(dataset.table('gone').delete(), 404, 'notFound');
  const other = bigquery.dataset('node_other');
  await other.create();
  await other.createTable('t', { schema });
  await fails(other.delete(), 400, 'resourceInUse');
  await other.delete({ force: true });
  assert.deepEqual(await other.exists(), [false]);
});
