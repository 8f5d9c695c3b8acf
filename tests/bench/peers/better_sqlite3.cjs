// better-sqlite3: chat_history of the database argv[2] as gzipped JSON lines in the folder argv[3].
const { createWriteStream } = require("node:fs");
const { Readable } = require("node:stream");
const { pipeline } = require("node:stream/promises");
const { createGzip } = require("node:zlib");
const Database = require("better-sqlite3");

const [database, folder] = process.argv.slice(2);

function* lines() {
  let block = "";
  for (const row of new Database(database, { readonly: true }).prepare("select * from chat_history").iterate()) {
    block += JSON.stringify(row) + "\n";
    if (block.length > 65536) {
      yield block;
      block = "";
    }
  }
  yield block;
}

pipeline(Readable.from(lines()), createGzip({ level: 6 }), createWriteStream(folder + "/rows.json.gz"));
