BEGIN TRANSACTION;
CREATE TABLE accounts(id integer primary key, email text not null unique, balance numeric, note text);
INSERT INTO "accounts" VALUES(1,'a@x',1.5,'eins');
INSERT INTO "accounts" VALUES(2,'b@x',NULL,'two');
INSERT INTO "accounts" VALUES(3,'c@x',3,NULL);
CREATE TABLE bq_sync_billed(
    table_name text not null,
    day text not null,
    bytes integer not null default 0,
    queries integer not null default 0,
    reserved integer not null default 0,
    needed integer not null default 0,
    primary key (table_name, day)
) without rowid;
INSERT INTO "bq_sync_billed" VALUES('accounts','2026-11-29',10485760,1,0,0);
CREATE TABLE bq_sync_capture(
    table_name text primary key,
    sequence integer not null,
    watermark integer
) without rowid;
INSERT INTO "bq_sync_capture" VALUES('accounts',3,3);
INSERT INTO "bq_sync_capture" VALUES('devices',2,NULL);
INSERT INTO "bq_sync_capture" VALUES('events',3,3);
INSERT INTO "bq_sync_capture" VALUES('everything',2,0);
INSERT INTO "bq_sync_capture" VALUES('invoices',2,0);
INSERT INTO "bq_sync_capture" VALUES('memberships',2,NULL);
INSERT INTO "bq_sync_capture" VALUES('people',2,0);
INSERT INTO "bq_sync_capture" VALUES('settings',2,NULL);
CREATE TABLE "bq_sync_dirty_accounts" (
  bq_sync_key_1 not null on conflict ignore
  , bq_sync_sequence integer
  , primary key (bq_sync_key_1)
) without rowid;
CREATE TABLE "bq_sync_dirty_devices" (
  bq_sync_key_1 not null on conflict ignore
  , bq_sync_sequence integer
  , primary key (bq_sync_key_1)
) without rowid;
CREATE TABLE "bq_sync_dirty_events" (
  bq_sync_key_1 not null on conflict ignore
  , bq_sync_sequence integer
  , primary key (bq_sync_key_1)
) without rowid;
CREATE TABLE "bq_sync_dirty_everything" (
  bq_sync_key_1 not null on conflict ignore
  , bq_sync_sequence integer
  , primary key (bq_sync_key_1)
) without rowid;
CREATE TABLE "bq_sync_dirty_invoices" (
  bq_sync_key_1 not null on conflict ignore
  , bq_sync_sequence integer
  , primary key (bq_sync_key_1)
) without rowid;
CREATE TABLE "bq_sync_dirty_memberships" (
  bq_sync_key_1 not null on conflict ignore
  , bq_sync_key_2 not null on conflict ignore
  , bq_sync_sequence integer
  , primary key (bq_sync_key_1, bq_sync_key_2)
) without rowid;
CREATE TABLE "bq_sync_dirty_people" (
  bq_sync_key_1 not null on conflict ignore
  , bq_sync_sequence integer
  , primary key (bq_sync_key_1)
) without rowid;
CREATE TABLE "bq_sync_dirty_settings" (
  bq_sync_key_1 not null on conflict ignore
  , bq_sync_sequence integer
  , primary key (bq_sync_key_1)
) without rowid;
CREATE TABLE bq_sync_generations(
    table_name text primary key,
    generation integer not null
, content_hash text not null default '', target text not null default '', since integer not null default 0, labelled integer, series text not null default '') without rowid;
INSERT INTO "bq_sync_generations" VALUES('accounts',2,'f3722958995d.4f620c5ecf31d2932ccc9c4b','p.d.accounts',1,NULL,'');
INSERT INTO "bq_sync_generations" VALUES('devices',1,'31fe3713fe63.a427173b0a20f5aa999191a7','p.d.devices',1,NULL,'');
INSERT INTO "bq_sync_generations" VALUES('events',2,'7af9fa878ad1.a3bbfa4dcfbad37a2f07447a','p.d.events',1,NULL,'');
INSERT INTO "bq_sync_generations" VALUES('everything',1,'1ac20c9e0a48.aca434b4addd60b3c8bd7346','p.d.everything',1,NULL,'');
INSERT INTO "bq_sync_generations" VALUES('invoices',1,'730205e44558.59c054270b140c93d6ed3060','p.d.invoices',1,NULL,'');
INSERT INTO "bq_sync_generations" VALUES('memberships',1,'384946ff9084.c3348719dcc54fd00ff0c799','p.d.memberships',1,NULL,'');
INSERT INTO "bq_sync_generations" VALUES('people',1,'168b2979c801.04a18393610d1070240c333a','p.d.people',1,NULL,'');
INSERT INTO "bq_sync_generations" VALUES('settings',1,'830f2c54c511.15668570ff97210de528cd5d','p.d.settings',1,NULL,'');
CREATE TABLE bq_sync_intents(
    table_name text primary key,
    kind text not null,
    generation integer not null,
    nonce text not null
, commit_job text not null default '', staging text not null default '', upper_sequence integer not null default 0, upper_row_id integer not null default 0, row_count integer not null default 0, content_hash text not null default '', shape_hash text not null default '', target text not null default '', project text not null default '', dataset text not null default '', location text not null default '', fingerprint text not null default '', bytes_reserved integer not null default 0) without rowid;
CREATE TABLE bq_sync_loads(
    table_name text not null,
    hour integer not null,
    modifications integer not null,
    primary key (table_name, hour)
) without rowid;
INSERT INTO "bq_sync_loads" VALUES('p.d.accounts',498887,1);
INSERT INTO "bq_sync_loads" VALUES('p.d.events',498887,2);
INSERT INTO "bq_sync_loads" VALUES('p.d.settings',498887,1);
CREATE TABLE bq_sync_meta(
    name text primary key,
    value text not null
) without rowid;
INSERT INTO "bq_sync_meta" VALUES('instance','734da6811d241cc7');
INSERT INTO "bq_sync_meta" VALUES('location:p.d','US');
INSERT INTO "bq_sync_meta" VALUES('schema_version','1');
INSERT INTO "bq_sync_meta" VALUES('shape accounts','4b232e80328ac6dcb7abf2ea59bd3bfa 1110 4f620c5ecf31d2932ccc9c4b');
INSERT INTO "bq_sync_meta" VALUES('shape devices','c5abb955043e678d75b1887abe8101c5 1000 a427173b0a20f5aa999191a7');
INSERT INTO "bq_sync_meta" VALUES('shape events','1a14c397aad6cd0342b72daf120bb690 1110 a3bbfa4dcfbad37a2f07447a');
INSERT INTO "bq_sync_meta" VALUES('shape everything','270569f4818ddb4a122ba72211128851 1110 aca434b4addd60b3c8bd7346');
INSERT INTO "bq_sync_meta" VALUES('shape invoices','20c97aac36df5dadbbd819664483c467 1110 59c054270b140c93d6ed3060');
INSERT INTO "bq_sync_meta" VALUES('shape memberships','9651571ed008d3698211878cdab026a1 1000 c3348719dcc54fd00ff0c799');
INSERT INTO "bq_sync_meta" VALUES('shape people','99fa9a09bdabd6663e3479d2275a4168 1110 04a18393610d1070240c333a');
INSERT INTO "bq_sync_meta" VALUES('shape settings','fb0c54ad423d5d2a04cbcc6c7b8f2b59 1010 15668570ff97210de528cd5d');
CREATE TABLE bq_sync_rejects(
    table_name text not null,
    key_json text not null,
    column_name text not null,
    storage_class text not null,
    reason text not null,
    since text not null,
    primary key (table_name, key_json, column_name)
) without rowid;
CREATE TABLE bq_sync_runs(
    number integer primary key,
    run_id text not null unique,
    state text not null,
    document text not null
);
INSERT INTO "bq_sync_runs" VALUES(1,'20261129-232756-9ed42c','done','{"run_id":"20261129-232756-9ed42c","kind":"incremental","ok":true,"started_at":"2026-11-29T23:27:56.068Z","finished_at":"2026-11-29T23:27:56.794Z","duration_ms":725,"bytes_billed":0,"tables":[{"table":"accounts","status":"synced","mode":"replace","rows_inserted":3,"rows_updated":0,"rows_deleted":0,"rows_rejected":0,"bytes_sent":359,"bytes_billed":0,"duration_ms":121,"last_synced_row_id":3,"error":null},{"table":"devices","status":"synced","mode":"replace","rows_inserted":0,"rows_updated":0,"rows_deleted":0,"rows_rejected":0,"bytes_sent":0,"bytes_billed":0,"duration_ms":87,"last_synced_row_id":0,"error":null},{"table":"events","status":"synced","mode":"replace","rows_inserted":2,"rows_updated":0,"rows_deleted":0,"rows_rejected":0,"bytes_sent":339,"bytes_billed":0,"duration_ms":197,"last_synced_row_id":2,"error":null},{"table":"everything","status":"synced","mode":"replace","rows_inserted":0,"rows_updated":0,"rows_deleted":0,"rows_rejected":0,"bytes_sent":0,"bytes_billed":0,"duration_ms":199,"last_synced_row_id":0,"error":null},{"table":"invoices","status":"synced","mode":"replace","rows_inserted":0,"rows_updated":0,"rows_deleted":0,"rows_rejected":0,"bytes_sent":0,"bytes_billed":0,"duration_ms":95,"last_synced_row_id":0,"error":null},{"table":"memberships","status":"synced","mode":"replace","rows_inserted":0,"rows_updated":0,"rows_deleted":0,"rows_rejected":0,"bytes_sent":0,"bytes_billed":0,"duration_ms":113,"last_synced_row_id":0,"error":null},{"table":"people","status":"synced","mode":"replace","rows_inserted":0,"rows_updated":0,"rows_deleted":0,"rows_rejected":0,"bytes_sent":0,"bytes_billed":0,"duration_ms":197,"last_synced_row_id":0,"error":null},{"table":"settings","status":"synced","mode":"replace","rows_inserted":1,"rows_updated":0,"rows_deleted":0,"rows_rejected":0,"bytes_sent":202,"bytes_billed":0,"duration_ms":113,"last_synced_row_id":0,"error":null}]}');
INSERT INTO "bq_sync_runs" VALUES(2,'20261129-232756-43c3b0','done','{"run_id":"20261129-232756-43c3b0","kind":"incremental","ok":true,"started_at":"2026-11-29T23:27:56.949Z","finished_at":"2026-11-29T23:27:57.113Z","duration_ms":164,"bytes_billed":10485760,"tables":[{"table":"accounts","status":"synced","mode":"merge","rows_inserted":0,"rows_updated":1,"rows_deleted":0,"rows_rejected":0,"bytes_sent":147,"bytes_billed":10485760,"duration_ms":88,"last_synced_row_id":3,"error":null},{"table":"devices","status":"unchanged","mode":"merge","rows_inserted":0,"rows_updated":0,"rows_deleted":0,"rows_rejected":0,"bytes_sent":0,"bytes_billed":0,"duration_ms":0,"last_synced_row_id":0,"error":null},{"table":"events","status":"synced","mode":"append","rows_inserted":1,"rows_updated":0,"rows_deleted":0,"rows_rejected":0,"bytes_sent":332,"bytes_billed":0,"duration_ms":38,"last_synced_row_id":3,"error":null},{"table":"everything","status":"unchanged","mode":"merge","rows_inserted":0,"rows_updated":0,"rows_deleted":0,"rows_rejected":0,"bytes_sent":0,"bytes_billed":0,"duration_ms":0,"last_synced_row_id":0,"error":null},{"table":"invoices","status":"unchanged","mode":"merge","rows_inserted":0,"rows_updated":0,"rows_deleted":0,"rows_rejected":0,"bytes_sent":0,"bytes_billed":0,"duration_ms":0,"last_synced_row_id":0,"error":null},{"table":"memberships","status":"unchanged","mode":"merge","rows_inserted":0,"rows_updated":0,"rows_deleted":0,"rows_rejected":0,"bytes_sent":0,"bytes_billed":0,"duration_ms":0,"last_synced_row_id":0,"error":null},{"table":"people","status":"unchanged","mode":"merge","rows_inserted":0,"rows_updated":0,"rows_deleted":0,"rows_rejected":0,"bytes_sent":0,"bytes_billed":0,"duration_ms":0,"last_synced_row_id":0,"error":null},{"table":"settings","status":"unchanged","mode":"replace","rows_inserted":0,"rows_updated":0,"rows_deleted":0,"rows_rejected":0,"bytes_sent":0,"bytes_billed":0,"duration_ms":0,"last_synced_row_id":0,"error":null}]}');
CREATE TABLE bq_sync_shadows(
    table_name text primary key,
    state text not null,
    whole integer not null,
    nonce text not null default '',
    hash_key blob not null
) without rowid;
CREATE TABLE bq_sync_tracking(
    table_name text primary key,
    last_synced_row_id integer not null default 0,
    last_synced_at text
, synced_sequence integer not null default 0, content_hash text not null default '', shape_hash text not null default '', target text not null default '', last_error text not null default '', source_rows integer not null default 0, intent_nonce text not null default '', epoch integer not null default 0, fingerprint text not null default '');
INSERT INTO "bq_sync_tracking" VALUES('accounts',3,'2026-11-29T23:27:57.112Z',2,'f3722958995d.4f620c5ecf31d2932ccc9c4b','17a6015c5b9e','p.d.accounts','',3,'',0,'');
INSERT INTO "bq_sync_tracking" VALUES('settings',0,'2026-11-29T23:27:56.531Z',1,'830f2c54c511.15668570ff97210de528cd5d','abb774454103','p.d.settings','',1,'',0,'');
INSERT INTO "bq_sync_tracking" VALUES('events',3,'2026-11-29T23:27:57.028Z',2,'7af9fa878ad1.a3bbfa4dcfbad37a2f07447a','cc8b25e1d61e','p.d.events','',3,'',0,'');
INSERT INTO "bq_sync_tracking" VALUES('devices',0,'2026-11-29T23:27:56.468Z',1,'31fe3713fe63.a427173b0a20f5aa999191a7','acd2def96a95','p.d.devices','',0,'',0,'');
INSERT INTO "bq_sync_tracking" VALUES('invoices',0,'2026-11-29T23:27:56.513Z',1,'730205e44558.59c054270b140c93d6ed3060','f0493dee243a','p.d.invoices','',0,'',0,'');
INSERT INTO "bq_sync_tracking" VALUES('people',0,'2026-11-29T23:27:56.524Z',1,'168b2979c801.04a18393610d1070240c333a','e374afe92d80','p.d.people','',0,'',0,'');
INSERT INTO "bq_sync_tracking" VALUES('everything',0,'2026-11-29T23:27:56.531Z',1,'1ac20c9e0a48.aca434b4addd60b3c8bd7346','329f38f666a5','p.d.everything','',0,'',0,'');
INSERT INTO "bq_sync_tracking" VALUES('memberships',0,'2026-11-29T23:27:56.532Z',1,'384946ff9084.c3348719dcc54fd00ff0c799','56e56ef658ab','p.d.memberships','',0,'',0,'');
CREATE TABLE devices(serial text primary key not null, online, reading);
CREATE TABLE events(id integer primary key autoincrement, kind text not null, payload json, at integer);
INSERT INTO "events" VALUES(1,'a',NULL,1);
INSERT INTO "events" VALUES(2,'b',NULL,2);
INSERT INTO "events" VALUES(3,'c',NULL,3);
CREATE TABLE everything(id integer primary key, i, f, b, s, y, n, bn, d, t, dt, ts, j, g);
CREATE TABLE invoices(id integer primary key, total numeric);
CREATE TABLE memberships(team text not null, person text not null, role text, since text,
  primary key (team, person)) without rowid;
CREATE TABLE people(id integer primary key, email text, name text, phone text,
  deleted integer not null default 0);
CREATE TABLE settings(name text primary key, value text);
INSERT INTO "settings" VALUES('theme','dark');
CREATE TRIGGER "bq_sync_insert_accounts"
after insert on "accounts"
when exists (
  select 1 from bq_sync_capture
  where table_name = 'accounts'
    and (new."id" > watermark) is not true
)
begin
  insert into "bq_sync_dirty_accounts" (bq_sync_key_1, bq_sync_sequence)
  select new."id", sequence from bq_sync_capture
  where table_name = 'accounts'
    and new."id" is not null
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_update_accounts"
after update on "accounts"
begin
  insert into "bq_sync_dirty_accounts" (bq_sync_key_1, bq_sync_sequence)
  select old."id", sequence from bq_sync_capture
  where table_name = 'accounts'
    and old."id" is not null
    and (old."id" > watermark) is not true
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_rekey_accounts"
after update on "accounts"
when new."id" collate binary is not old."id"
begin
  insert into "bq_sync_dirty_accounts" (bq_sync_key_1, bq_sync_sequence)
  select new."id", sequence from bq_sync_capture
  where table_name = 'accounts'
    and new."id" is not null
    and (new."id" > watermark) is not true
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_delete_accounts"
after delete on "accounts"
begin
  insert into "bq_sync_dirty_accounts" (bq_sync_key_1, bq_sync_sequence)
  select old."id", sequence from bq_sync_capture
  where table_name = 'accounts'
    and old."id" is not null
    and (old."id" > watermark) is not true
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_replace_1_insert_accounts"
before insert on "accounts"
when exists (
    select 1 from "accounts"
    where "accounts"."email" collate "BINARY" = new."email"
      and coalesce("accounts"."id" <= (select watermark from bq_sync_capture where table_name = 'accounts'), 1)
  )
begin
  insert into "bq_sync_dirty_accounts" (bq_sync_key_1, bq_sync_sequence)
    select "accounts"."id", coalesce((select sequence from bq_sync_capture where table_name = 'accounts'), 0) from "accounts"
    where "accounts"."email" collate "BINARY" = new."email"
      and coalesce("accounts"."id" <= (select watermark from bq_sync_capture where table_name = 'accounts'), 1)
    on conflict (bq_sync_key_1) do update
    set bq_sync_sequence = excluded.bq_sync_sequence
    where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_replace_1_update_accounts"
before update of "email" on "accounts"
when exists (
    select 1 from "accounts"
    where "accounts"."email" collate "BINARY" = new."email"
      and ("accounts"."id" collate binary is not old."id")
      and coalesce("accounts"."id" <= (select watermark from bq_sync_capture where table_name = 'accounts'), 1)
  )
begin
  insert into "bq_sync_dirty_accounts" (bq_sync_key_1, bq_sync_sequence)
    select "accounts"."id", coalesce((select sequence from bq_sync_capture where table_name = 'accounts'), 0) from "accounts"
    where "accounts"."email" collate "BINARY" = new."email"
      and ("accounts"."id" collate binary is not old."id")
      and coalesce("accounts"."id" <= (select watermark from bq_sync_capture where table_name = 'accounts'), 1)
    on conflict (bq_sync_key_1) do update
    set bq_sync_sequence = excluded.bq_sync_sequence
    where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_insert_devices"
after insert on "devices"
begin
  insert into "bq_sync_dirty_devices" (bq_sync_key_1, bq_sync_sequence)
  select new."serial", sequence from bq_sync_capture
  where table_name = 'devices'
    and new."serial" is not null
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_update_devices"
after update on "devices"
begin
  insert into "bq_sync_dirty_devices" (bq_sync_key_1, bq_sync_sequence)
  select old."serial", sequence from bq_sync_capture
  where table_name = 'devices'
    and old."serial" is not null
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_rekey_devices"
after update on "devices"
when new."serial" collate binary is not old."serial"
begin
  insert into "bq_sync_dirty_devices" (bq_sync_key_1, bq_sync_sequence)
  select new."serial", sequence from bq_sync_capture
  where table_name = 'devices'
    and new."serial" is not null
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_delete_devices"
after delete on "devices"
begin
  insert into "bq_sync_dirty_devices" (bq_sync_key_1, bq_sync_sequence)
  select old."serial", sequence from bq_sync_capture
  where table_name = 'devices'
    and old."serial" is not null
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_replace_0_insert_devices"
before insert on "devices"
when exists (
    select 1 from "devices"
    where "devices".rowid = new.rowid
      and "devices"."serial" is not null
      and ("devices"."serial" collate binary is not new."serial")
  )
begin
  insert into "bq_sync_dirty_devices" (bq_sync_key_1, bq_sync_sequence)
    select "devices"."serial", coalesce((select sequence from bq_sync_capture where table_name = 'devices'), 0) from "devices"
    where "devices".rowid = new.rowid
      and "devices"."serial" is not null
      and ("devices"."serial" collate binary is not new."serial")
    on conflict (bq_sync_key_1) do update
    set bq_sync_sequence = excluded.bq_sync_sequence
    where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_replace_0_update_devices"
before update on "devices"
when exists (
    select 1 from "devices"
    where "devices".rowid = new.rowid
      and "devices"."serial" is not null
      and ("devices"."serial" collate binary is not old."serial")
  )
begin
  insert into "bq_sync_dirty_devices" (bq_sync_key_1, bq_sync_sequence)
    select "devices"."serial", coalesce((select sequence from bq_sync_capture where table_name = 'devices'), 0) from "devices"
    where "devices".rowid = new.rowid
      and "devices"."serial" is not null
      and ("devices"."serial" collate binary is not old."serial")
    on conflict (bq_sync_key_1) do update
    set bq_sync_sequence = excluded.bq_sync_sequence
    where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_insert_events"
after insert on "events"
when exists (
  select 1 from bq_sync_capture
  where table_name = 'events'
    and (new."id" > watermark) is not true
)
begin
  insert into "bq_sync_dirty_events" (bq_sync_key_1, bq_sync_sequence)
  select new."id", sequence from bq_sync_capture
  where table_name = 'events'
    and new."id" is not null
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_update_events"
after update on "events"
begin
  insert into "bq_sync_dirty_events" (bq_sync_key_1, bq_sync_sequence)
  select old."id", sequence from bq_sync_capture
  where table_name = 'events'
    and old."id" is not null
    and (old."id" > watermark) is not true
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_rekey_events"
after update on "events"
when new."id" collate binary is not old."id"
begin
  insert into "bq_sync_dirty_events" (bq_sync_key_1, bq_sync_sequence)
  select new."id", sequence from bq_sync_capture
  where table_name = 'events'
    and new."id" is not null
    and (new."id" > watermark) is not true
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_delete_events"
after delete on "events"
begin
  insert into "bq_sync_dirty_events" (bq_sync_key_1, bq_sync_sequence)
  select old."id", sequence from bq_sync_capture
  where table_name = 'events'
    and old."id" is not null
    and (old."id" > watermark) is not true
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_insert_everything"
after insert on "everything"
when exists (
  select 1 from bq_sync_capture
  where table_name = 'everything'
    and (new."id" > watermark) is not true
)
begin
  insert into "bq_sync_dirty_everything" (bq_sync_key_1, bq_sync_sequence)
  select new."id", sequence from bq_sync_capture
  where table_name = 'everything'
    and new."id" is not null
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_update_everything"
after update on "everything"
begin
  insert into "bq_sync_dirty_everything" (bq_sync_key_1, bq_sync_sequence)
  select old."id", sequence from bq_sync_capture
  where table_name = 'everything'
    and old."id" is not null
    and (old."id" > watermark) is not true
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_rekey_everything"
after update on "everything"
when new."id" collate binary is not old."id"
begin
  insert into "bq_sync_dirty_everything" (bq_sync_key_1, bq_sync_sequence)
  select new."id", sequence from bq_sync_capture
  where table_name = 'everything'
    and new."id" is not null
    and (new."id" > watermark) is not true
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_delete_everything"
after delete on "everything"
begin
  insert into "bq_sync_dirty_everything" (bq_sync_key_1, bq_sync_sequence)
  select old."id", sequence from bq_sync_capture
  where table_name = 'everything'
    and old."id" is not null
    and (old."id" > watermark) is not true
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_insert_invoices"
after insert on "invoices"
when exists (
  select 1 from bq_sync_capture
  where table_name = 'invoices'
    and (new."id" > watermark) is not true
)
begin
  insert into "bq_sync_dirty_invoices" (bq_sync_key_1, bq_sync_sequence)
  select new."id", sequence from bq_sync_capture
  where table_name = 'invoices'
    and new."id" is not null
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_update_invoices"
after update on "invoices"
begin
  insert into "bq_sync_dirty_invoices" (bq_sync_key_1, bq_sync_sequence)
  select old."id", sequence from bq_sync_capture
  where table_name = 'invoices'
    and old."id" is not null
    and (old."id" > watermark) is not true
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_rekey_invoices"
after update on "invoices"
when new."id" collate binary is not old."id"
begin
  insert into "bq_sync_dirty_invoices" (bq_sync_key_1, bq_sync_sequence)
  select new."id", sequence from bq_sync_capture
  where table_name = 'invoices'
    and new."id" is not null
    and (new."id" > watermark) is not true
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_delete_invoices"
after delete on "invoices"
begin
  insert into "bq_sync_dirty_invoices" (bq_sync_key_1, bq_sync_sequence)
  select old."id", sequence from bq_sync_capture
  where table_name = 'invoices'
    and old."id" is not null
    and (old."id" > watermark) is not true
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_insert_memberships"
after insert on "memberships"
begin
  insert into "bq_sync_dirty_memberships" (bq_sync_key_1, bq_sync_key_2, bq_sync_sequence)
  select new."team", new."person", sequence from bq_sync_capture
  where table_name = 'memberships'
    and new."team" is not null
    and new."person" is not null
  on conflict (bq_sync_key_1, bq_sync_key_2) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_update_memberships"
after update on "memberships"
begin
  insert into "bq_sync_dirty_memberships" (bq_sync_key_1, bq_sync_key_2, bq_sync_sequence)
  select old."team", old."person", sequence from bq_sync_capture
  where table_name = 'memberships'
    and old."team" is not null
    and old."person" is not null
  on conflict (bq_sync_key_1, bq_sync_key_2) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_rekey_memberships"
after update on "memberships"
when new."team" collate binary is not old."team"
  or new."person" collate binary is not old."person"
begin
  insert into "bq_sync_dirty_memberships" (bq_sync_key_1, bq_sync_key_2, bq_sync_sequence)
  select new."team", new."person", sequence from bq_sync_capture
  where table_name = 'memberships'
    and new."team" is not null
    and new."person" is not null
  on conflict (bq_sync_key_1, bq_sync_key_2) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_delete_memberships"
after delete on "memberships"
begin
  insert into "bq_sync_dirty_memberships" (bq_sync_key_1, bq_sync_key_2, bq_sync_sequence)
  select old."team", old."person", sequence from bq_sync_capture
  where table_name = 'memberships'
    and old."team" is not null
    and old."person" is not null
  on conflict (bq_sync_key_1, bq_sync_key_2) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_insert_people"
after insert on "people"
when exists (
  select 1 from bq_sync_capture
  where table_name = 'people'
    and (new."id" > watermark) is not true
)
begin
  insert into "bq_sync_dirty_people" (bq_sync_key_1, bq_sync_sequence)
  select new."id", sequence from bq_sync_capture
  where table_name = 'people'
    and new."id" is not null
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_update_people"
after update on "people"
begin
  insert into "bq_sync_dirty_people" (bq_sync_key_1, bq_sync_sequence)
  select old."id", sequence from bq_sync_capture
  where table_name = 'people'
    and old."id" is not null
    and (old."id" > watermark) is not true
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_rekey_people"
after update on "people"
when new."id" collate binary is not old."id"
begin
  insert into "bq_sync_dirty_people" (bq_sync_key_1, bq_sync_sequence)
  select new."id", sequence from bq_sync_capture
  where table_name = 'people'
    and new."id" is not null
    and (new."id" > watermark) is not true
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_delete_people"
after delete on "people"
begin
  insert into "bq_sync_dirty_people" (bq_sync_key_1, bq_sync_sequence)
  select old."id", sequence from bq_sync_capture
  where table_name = 'people'
    and old."id" is not null
    and (old."id" > watermark) is not true
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_insert_settings"
after insert on "settings"
begin
  insert into "bq_sync_dirty_settings" (bq_sync_key_1, bq_sync_sequence)
  select new."name", sequence from bq_sync_capture
  where table_name = 'settings'
    and new."name" is not null
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_update_settings"
after update on "settings"
begin
  insert into "bq_sync_dirty_settings" (bq_sync_key_1, bq_sync_sequence)
  select old."name", sequence from bq_sync_capture
  where table_name = 'settings'
    and old."name" is not null
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_rekey_settings"
after update on "settings"
when new."name" collate binary is not old."name"
begin
  insert into "bq_sync_dirty_settings" (bq_sync_key_1, bq_sync_sequence)
  select new."name", sequence from bq_sync_capture
  where table_name = 'settings'
    and new."name" is not null
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_delete_settings"
after delete on "settings"
begin
  insert into "bq_sync_dirty_settings" (bq_sync_key_1, bq_sync_sequence)
  select old."name", sequence from bq_sync_capture
  where table_name = 'settings'
    and old."name" is not null
  on conflict (bq_sync_key_1) do update
  set bq_sync_sequence = excluded.bq_sync_sequence
  where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_replace_0_insert_settings"
before insert on "settings"
when exists (
    select 1 from "settings"
    where "settings".rowid = new.rowid
      and "settings"."name" is not null
      and ("settings"."name" collate binary is not new."name")
  )
begin
  insert into "bq_sync_dirty_settings" (bq_sync_key_1, bq_sync_sequence)
    select "settings"."name", coalesce((select sequence from bq_sync_capture where table_name = 'settings'), 0) from "settings"
    where "settings".rowid = new.rowid
      and "settings"."name" is not null
      and ("settings"."name" collate binary is not new."name")
    on conflict (bq_sync_key_1) do update
    set bq_sync_sequence = excluded.bq_sync_sequence
    where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
CREATE TRIGGER "bq_sync_replace_0_update_settings"
before update on "settings"
when exists (
    select 1 from "settings"
    where "settings".rowid = new.rowid
      and "settings"."name" is not null
      and ("settings"."name" collate binary is not old."name")
  )
begin
  insert into "bq_sync_dirty_settings" (bq_sync_key_1, bq_sync_sequence)
    select "settings"."name", coalesce((select sequence from bq_sync_capture where table_name = 'settings'), 0) from "settings"
    where "settings".rowid = new.rowid
      and "settings"."name" is not null
      and ("settings"."name" collate binary is not old."name")
    on conflict (bq_sync_key_1) do update
    set bq_sync_sequence = excluded.bq_sync_sequence
    where bq_sync_sequence <> excluded.bq_sync_sequence;
end;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('events',3);
COMMIT;
