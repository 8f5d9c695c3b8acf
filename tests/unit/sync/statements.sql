-- What test_statements.c compares.

-- changes
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"JSON"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"}]}
-- keeps deleted rows: 0, at once: 0, needs the snapshot's time: 0
merge into `p`.`d`.`orders` as t
using `p`.`d`.`staged` as s
on t.`id` = s.`id` ...

-- changes with JSON as text
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"STRING"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"}]}
-- keeps deleted rows: 0, at once: 0, needs the snapshot's time: 0
merge into `p`.`d`.`orders` as t
using (select * except (`body`), parse_json(`body`, wide_number_mode => 'round') as `body` from `p`.`d`.`staged`) as s
on t.`id` = s.`id` ...

-- new rows alone
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"JSON"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"}]}
-- keeps deleted rows: 0, at once: 0, needs the snapshot's time: 0
insert into `p`.`d`.`orders`
select ... from `p`.`d`.`staged` as s

-- changes, logged
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"JSON"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"},{"name":"_bqsync_operation","type":"STRING"}]}
-- keeps deleted rows: 0, at once: 0, needs the snapshot's time: 0
insert into `p`.`d`.`orders_changes` (`id`, `at`, `code`, `body`, `place`, `_bqsync_operation`, `_bqsync_at`, `_bqsync_generation`, `_bqsync_run`)
select bqsync_rows.`id`, bqsync_rows.`at`, bqsync_rows.`code`, bqsync_rows.`body`, bqsync_rows.`place`, bqsync_rows.`_bqsync_operation`, timestamp_micros(1500000), 7, "run-1"
from `p`.`d`.`staged` as bqsync_rows;
merge into `p`.`d`.`orders` as t
using `p`.`d`.`staged` as s
on t.`id` = s.`id` ...

-- changes of which the target knows, logged
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"JSON"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"},{"name":"_bqsync_operation","type":"STRING"}]}
-- keeps deleted rows: 0, at once: 0, needs the snapshot's time: 0
insert into `p`.`d`.`orders_changes` (`id`, `at`, `code`, `body`, `place`, `_bqsync_operation`, `_bqsync_at`, `_bqsync_generation`, `_bqsync_run`)
select bqsync_versions.`id`, bqsync_versions.`at`, bqsync_versions.`code`, bqsync_versions.`body`, bqsync_versions.`place`, bqsync_versions.`_bqsync_operation`, timestamp_micros(1500000), 7, "run-1"
from (
  select bqsync_rows.* except (`_bqsync_operation`), ifnull(bqsync_rows.`_bqsync_operation`, if(exists (
      select 1 from `p`.`d`.`orders` as t
      where true and t.`id` = bqsync_rows.`id` and t.`code` = bqsync_rows.`code` and (t.`at` is null or t.`at` is not null)),
      if(bqsync_rows.`_bqsync_deleted`, 'delete', 'update'),
      if(bqsync_rows.`_bqsync_deleted`, null, 'insert'))) as `_bqsync_operation`
  from `p`.`d`.`staged` as bqsync_rows
) as bqsync_versions
where bqsync_versions.`_bqsync_operation` is not null;
merge into `p`.`d`.`orders` as t
using `p`.`d`.`staged` as s
on t.`id` = s.`id` ...

-- the same where deleted rows are marked
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"JSON"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"},{"name":"_bqsync_operation","type":"STRING"}]}
-- keeps deleted rows: 0, at once: 0, needs the snapshot's time: 1
insert into `p`.`d`.`orders_changes` (`id`, `at`, `code`, `body`, `place`, `_bqsync_operation`, `_bqsync_at`, `_bqsync_generation`, `_bqsync_run`)
select bqsync_versions.`id`, bqsync_versions.`at`, bqsync_versions.`code`, bqsync_versions.`body`, bqsync_versions.`place`, bqsync_versions.`_bqsync_operation`, timestamp_micros(1500000), 7, "run-1"
from (
  select bqsync_rows.* except (`_bqsync_operation`), ifnull(bqsync_rows.`_bqsync_operation`, if(exists (
      select 1 from `p`.`d`.`orders` as t
      where true and t.`id` = bqsync_rows.`id` and t.`code` = bqsync_rows.`code` and t.`_bqsync_deleted_at` is null),
      if(bqsync_rows.`_bqsync_deleted`, 'delete', 'update'),
      if(bqsync_rows.`_bqsync_deleted`, null, 'insert'))) as `_bqsync_operation`
  from `p`.`d`.`staged` as bqsync_rows
) as bqsync_versions
where bqsync_versions.`_bqsync_operation` is not null;
merge into `p`.`d`.`orders` as t
using `p`.`d`.`staged` as s
on t.`id` = s.`id` ...

-- the same where deleted rows are kept
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"JSON"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"},{"name":"_bqsync_operation","type":"STRING"}]}
-- keeps deleted rows: 0, at once: 0, needs the snapshot's time: 0
insert into `p`.`d`.`orders_changes` (`id`, `at`, `code`, `body`, `place`, `_bqsync_operation`, `_bqsync_at`, `_bqsync_generation`, `_bqsync_run`)
select bqsync_versions.`id`, bqsync_versions.`at`, bqsync_versions.`code`, bqsync_versions.`body`, bqsync_versions.`place`, bqsync_versions.`_bqsync_operation`, timestamp_micros(1500000), 7, "run-1"
from (
  select bqsync_rows.* except (`_bqsync_operation`), ifnull(bqsync_rows.`_bqsync_operation`, if(exists (
      select 1 from (
        select t.*,
      row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) order by t.`_bqsync_generation` desc) as `_bqsync_number`
    from `p`.`d`.`orders_changes` as t
    where t.`_bqsync_abandoned` is not true
      ) as bqsync_log
      where `_bqsync_number` = 1 and `_bqsync_operation` <> 'delete' and bqsync_log.`id` = bqsync_rows.`id` and bqsync_log.`code` = bqsync_rows.`code`),
      if(bqsync_rows.`_bqsync_deleted`, 'delete', 'update'),
      if(bqsync_rows.`_bqsync_deleted`, null, 'insert'))) as `_bqsync_operation`
  from `p`.`d`.`staged` as bqsync_rows
) as bqsync_versions
where bqsync_versions.`_bqsync_operation` is not null;
merge into `p`.`d`.`orders` as t
using `p`.`d`.`staged` as s
on t.`id` = s.`id` ...

-- a replacement
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"STRING"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"}]}
-- keeps deleted rows: 0, at once: 0, needs the snapshot's time: 0
truncate table `p`.`d`.`orders`;
insert into `p`.`d`.`orders` (`id`, `at`, `code`, `body`, `place`)
select s.`id`, s.`at`, s.`code`, s.`body`, s.`place`
from (select * except (`body`), parse_json(`body`, wide_number_mode => 'round') as `body` from `p`.`d`.`staged`) as s

-- a replacement in parts
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"JSON"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"}]}
-- keeps deleted rows: 0, at once: 0, needs the snapshot's time: 0
truncate table `p`.`d`.`orders`;
insert into `p`.`d`.`orders` (`id`, `at`, `code`, `body`, `place`)
select s.`id`, s.`at`, s.`code`, s.`body`, s.`place`
from `p`.`d`.`staged` as s
where (unix_date(s.`at`) < 3500 or s.`at` is null);
insert into `p`.`d`.`orders` (`id`, `at`, `code`, `body`, `place`)
select s.`id`, s.`at`, s.`code`, s.`body`, s.`place`
from `p`.`d`.`staged` as s
where (unix_date(s.`at`) >= 3500)

-- a replacement in parts with a rejected row
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"STRING"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"}]}
-- keeps deleted rows: 0, at once: 0, needs the snapshot's time: 0
insert into `p`.`d`.`staged` (`id`, `at`, `code`, `body`, `place`, `_bqsync_deleted`)
  select bqsync_old.`id`, bqsync_old.`at`, bqsync_old.`code`, if(bqsync_old.`body` is null, null, to_json_string(bqsync_old.`body`)), bqsync_old.`place`, false
  from (
    select t.`id`, t.`at`, t.`code`, t.`body`, t.`place`, row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'))) as `_bqsync_number`
    from `p`.`d`.`orders` as t
    where exists (select 1 from (
      select `id`, `code`
      from `p`.`d`.`staged`
      group by `id`, `code`
      having countif(not `_bqsync_deleted`) = 0
    ) as bqsync_kept
    where true and t.`id` = bqsync_kept.`id` and t.`code` = bqsync_kept.`code`)
  ) as bqsync_old
  where bqsync_old.`_bqsync_number` = 1;
truncate table `p`.`d`.`orders`;
insert into `p`.`d`.`orders` (`id`, `at`, `code`, `body`, `place`)
select s.`id`, s.`at`, s.`code`, s.`body`, s.`place`
from (select * except (`body`), parse_json(`body`, wide_number_mode => 'round') as `body` from `p`.`d`.`staged`) as s
where not s.`_bqsync_deleted` and (unix_date(s.`at`) < 3500 or s.`at` is null);
insert into `p`.`d`.`orders` (`id`, `at`, `code`, `body`, `place`)
select s.`id`, s.`at`, s.`code`, s.`body`, s.`place`
from (select * except (`body`), parse_json(`body`, wide_number_mode => 'round') as `body` from `p`.`d`.`staged`) as s
where not s.`_bqsync_deleted` and (unix_date(s.`at`) >= 3500)

-- a replacement with a rejected row
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"JSON"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"}]}
-- keeps deleted rows: 0, at once: 1, needs the snapshot's time: 0
merge into `p`.`d`.`orders` as bqsync_target
using (
  select bqsync_new.`id`, bqsync_new.`at`, bqsync_new.`code`, bqsync_new.`body`, bqsync_new.`place`
  from `p`.`d`.`staged` as bqsync_new
  where not bqsync_new.`_bqsync_deleted`
  union all
  select bqsync_old.`id`, bqsync_old.`at`, bqsync_old.`code`, bqsync_old.`body`, bqsync_old.`place`
  from (
    select t.`id`, t.`at`, t.`code`, t.`body`, t.`place`, row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'))) as `_bqsync_number`
    from `p`.`d`.`orders` as t
    where exists (select 1 from (
      select `id`, `code`
      from `p`.`d`.`staged`
      group by `id`, `code`
      having countif(not `_bqsync_deleted`) = 0
    ) as bqsync_kept
    where true and t.`id` = bqsync_kept.`id` and t.`code` = bqsync_kept.`code`)
  ) as bqsync_old
  where bqsync_old.`_bqsync_number` = 1
) as bqsync_rows
on false
when not matched by target then
  insert (`id`, `at`, `code`, `body`, `place`)
  values (bqsync_rows.`id`, bqsync_rows.`at`, bqsync_rows.`code`, bqsync_rows.`body`, bqsync_rows.`place`)
when not matched by source then
  delete

-- a replacement with a rejected row, logged
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"JSON"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"},{"name":"_bqsync_operation","type":"STRING"}]}
-- keeps deleted rows: 0, at once: 1, needs the snapshot's time: 0
insert into `p`.`d`.`orders_changes` (`id`, `at`, `code`, `body`, `place`, `_bqsync_operation`, `_bqsync_at`, `_bqsync_generation`, `_bqsync_run`)
select if(bqsync_new.`_bqsync_key` is null, bqsync_old.`id`, bqsync_new.`id`), bqsync_new.`at`, if(bqsync_new.`_bqsync_key` is null, bqsync_old.`code`, bqsync_new.`code`), bqsync_new.`body`, bqsync_new.`place`, case when bqsync_new.`_bqsync_key` is null then 'delete' when bqsync_old.`_bqsync_key` is null then 'insert' else 'update' end, timestamp_micros(1500000), 7, "run-1"
from (
  select t.*, concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) as `_bqsync_key`, concat(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`body` is null, null, to_json_string(t.`body`))) as string), ':', if(t.`body` is null, null, to_json_string(t.`body`))), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')), ifnull(st_astext(t.`place`), '')) as `_bqsync_text`
  from (
    select bqsync_rows.`id`, bqsync_rows.`at`, bqsync_rows.`code`, bqsync_rows.`body`, bqsync_rows.`place` from `p`.`d`.`staged` as bqsync_rows where not bqsync_rows.`_bqsync_deleted`
    union all
    select bqsync_old.`id`, bqsync_old.`at`, bqsync_old.`code`, bqsync_old.`body`, bqsync_old.`place` from (
      select t.`id`, t.`at`, t.`code`, t.`body`, t.`place`, row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'))) as `_bqsync_number`
      from `p`.`d`.`orders` as t
      where exists (select 1 from (
      select `id`, `code`
      from `p`.`d`.`staged`
      group by `id`, `code`
      having countif(not `_bqsync_deleted`) = 0
    ) as bqsync_kept
    where true and t.`id` = bqsync_kept.`id` and t.`code` = bqsync_kept.`code`) and (t.`at` is null or t.`at` is not null)
    ) as bqsync_old
    where bqsync_old.`_bqsync_number` = 1
  ) as t
) as bqsync_new
full join (
  select `id`, `at`, `code`, `body`, `place`, `_bqsync_key`, `_bqsync_text` from (
    select t.*, concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) as `_bqsync_key`, concat(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`body` is null, null, to_json_string(t.`body`))) as string), ':', if(t.`body` is null, null, to_json_string(t.`body`))), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')), ifnull(st_astext(t.`place`), '')) as `_bqsync_text`,
      row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) order by t.`_bqsync_generation` desc) as `_bqsync_number`
    from `p`.`d`.`orders_changes` as t
    where t.`_bqsync_abandoned` is not true
  )
  where `_bqsync_number` = 1 and `_bqsync_operation` <> 'delete'
) as bqsync_old
on bqsync_new.`_bqsync_key` = bqsync_old.`_bqsync_key`
where bqsync_new.`_bqsync_text` is distinct from bqsync_old.`_bqsync_text`;
merge into `p`.`d`.`orders` as bqsync_target
using (
  select bqsync_new.`id`, bqsync_new.`at`, bqsync_new.`code`, bqsync_new.`body`, bqsync_new.`place`
  from `p`.`d`.`staged` as bqsync_new
  where not bqsync_new.`_bqsync_deleted`
  union all
  select bqsync_old.`id`, bqsync_old.`at`, bqsync_old.`code`, bqsync_old.`body`, bqsync_old.`place`
  from (
    select t.`id`, t.`at`, t.`code`, t.`body`, t.`place`, row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'))) as `_bqsync_number`
    from `p`.`d`.`orders` as t
    where exists (select 1 from (
      select `id`, `code`
      from `p`.`d`.`staged`
      group by `id`, `code`
      having countif(not `_bqsync_deleted`) = 0
    ) as bqsync_kept
    where true and t.`id` = bqsync_kept.`id` and t.`code` = bqsync_kept.`code`) and (t.`at` is null or t.`at` is not null)
  ) as bqsync_old
  where bqsync_old.`_bqsync_number` = 1
) as bqsync_rows
on false
when not matched by target then
  insert (`id`, `at`, `code`, `body`, `place`)
  values (bqsync_rows.`id`, bqsync_rows.`at`, bqsync_rows.`code`, bqsync_rows.`body`, bqsync_rows.`place`)
when not matched by source and (bqsync_target.`at` is null or bqsync_target.`at` is not null) then
  delete

-- a replacement where deleted rows are marked
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"JSON"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"}]}
-- keeps deleted rows: 1, at once: 1, needs the snapshot's time: 1
merge into `p`.`d`.`orders` as bqsync_target
using (
  select bqsync_new.`id`, bqsync_new.`at`, bqsync_new.`code`, bqsync_new.`body`, bqsync_new.`place`, null as `_bqsync_deleted_at`
  from `p`.`d`.`staged` as bqsync_new
  where not bqsync_new.`_bqsync_deleted`
  union all
  select bqsync_old.`id`, bqsync_old.`at`, bqsync_old.`code`, bqsync_old.`body`, bqsync_old.`place`, bqsync_old.`_bqsync_deleted_at`
  from (
    select t.`id`, t.`at`, t.`code`, t.`body`, t.`place`, coalesce(t.`_bqsync_deleted_at`, @snapshot_at) as `_bqsync_deleted_at`, row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'))) as `_bqsync_number`
    from `p`.`d`.`orders` as t
    where not exists (select 1 from `p`.`d`.`staged` as bqsync_kept
    where not bqsync_kept.`_bqsync_deleted` and t.`id` = bqsync_kept.`id` and t.`code` = bqsync_kept.`code`) and (t.`at` is null or t.`at` is not null)
  ) as bqsync_old
  where bqsync_old.`_bqsync_number` = 1
) as bqsync_rows
on false
when not matched by target then
  insert (`id`, `at`, `code`, `body`, `place`, `_bqsync_deleted_at`)
  values (bqsync_rows.`id`, bqsync_rows.`at`, bqsync_rows.`code`, bqsync_rows.`body`, bqsync_rows.`place`, bqsync_rows.`_bqsync_deleted_at`)
when not matched by source and (bqsync_target.`at` is null or bqsync_target.`at` is not null) then
  delete

-- the same with a rejected row and one more column, logged
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"JSON"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"},{"name":"_bqsync_operation","type":"STRING"}]}
-- keeps deleted rows: 1, at once: 1, needs the snapshot's time: 1
insert into `p`.`d`.`orders_changes` (`id`, `at`, `code`, `body`, `place`, `_bqsync_operation`, `_bqsync_at`, `_bqsync_generation`, `_bqsync_run`)
select if(bqsync_new.`_bqsync_key` is null, bqsync_old.`id`, bqsync_new.`id`), bqsync_new.`at`, if(bqsync_new.`_bqsync_key` is null, bqsync_old.`code`, bqsync_new.`code`), bqsync_new.`body`, bqsync_new.`place`, case when bqsync_new.`_bqsync_key` is null then 'delete' when bqsync_old.`_bqsync_key` is null then 'insert' else 'update' end, timestamp_micros(1500000), 7, "run-1"
from (
  select t.*, concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) as `_bqsync_key`, concat(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`body` is null, null, to_json_string(t.`body`))) as string), ':', if(t.`body` is null, null, to_json_string(t.`body`))), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')), ifnull(st_astext(t.`place`), '')) as `_bqsync_text`
  from (
    select bqsync_rows.`id`, bqsync_rows.`at`, bqsync_rows.`code`, bqsync_rows.`body`, bqsync_rows.`place` from `p`.`d`.`staged` as bqsync_rows where not bqsync_rows.`_bqsync_deleted`
    union all
    select bqsync_old.`id`, bqsync_old.`at`, bqsync_old.`code`, bqsync_old.`body`, bqsync_old.`place` from (
      select t.`id`, t.`at`, t.`code`, t.`body`, t.`place`, row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'))) as `_bqsync_number`
      from `p`.`d`.`orders` as t
      where exists (select 1 from (
      select `id`, `code`
      from `p`.`d`.`staged`
      group by `id`, `code`
      having countif(not `_bqsync_deleted`) = 0
    ) as bqsync_kept
    where true and t.`id` = bqsync_kept.`id` and t.`code` = bqsync_kept.`code`) and t.`_bqsync_deleted_at` is null
    ) as bqsync_old
    where bqsync_old.`_bqsync_number` = 1
  ) as t
) as bqsync_new
full join (
  select `id`, `at`, `code`, `body`, `place`, `_bqsync_key`, `_bqsync_text` from (
    select t.*, concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) as `_bqsync_key`, concat(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`body` is null, null, to_json_string(t.`body`))) as string), ':', if(t.`body` is null, null, to_json_string(t.`body`))), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')), ifnull(st_astext(t.`place`), '')) as `_bqsync_text`,
      row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) order by t.`_bqsync_generation` desc) as `_bqsync_number`
    from `p`.`d`.`orders_changes` as t
    where t.`_bqsync_abandoned` is not true
  )
  where `_bqsync_number` = 1 and `_bqsync_operation` <> 'delete'
  union all
  select `id`, `at`, `code`, `body`, `place`, `_bqsync_key`, `_bqsync_text` from (
    select t.*, concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) as `_bqsync_key`, concat(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`body` is null, null, to_json_string(t.`body`))) as string), ':', if(t.`body` is null, null, to_json_string(t.`body`))), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')), ifnull(st_astext(t.`place`), '')) as `_bqsync_text`, row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'))) as `_bqsync_number`
    from `p`.`d`.`orders` as t
    where true and t.`_bqsync_deleted_at` is null
  )
  where `_bqsync_number` = 1 and `_bqsync_key` not in (
    select concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) from `p`.`d`.`orders_changes` as t
    where t.`_bqsync_abandoned` is not true
  )
) as bqsync_old
on bqsync_new.`_bqsync_key` = bqsync_old.`_bqsync_key`
where bqsync_new.`_bqsync_text` is distinct from bqsync_old.`_bqsync_text`;
merge into `p`.`d`.`orders` as bqsync_target
using (
  select bqsync_new.`id`, bqsync_new.`at`, bqsync_new.`code`, bqsync_new.`body`, bqsync_new.`place`, null as `note`, null as `_bqsync_deleted_at`
  from `p`.`d`.`staged` as bqsync_new
  where not bqsync_new.`_bqsync_deleted`
  union all
  select bqsync_old.`id`, bqsync_old.`at`, bqsync_old.`code`, bqsync_old.`body`, bqsync_old.`place`, bqsync_old.`note`, bqsync_old.`_bqsync_deleted_at`
  from (
    select t.`id`, t.`at`, t.`code`, t.`body`, t.`place`, t.`note`, if(exists (select 1 from (
      select `id`, `code`
      from `p`.`d`.`staged`
      group by `id`, `code`
      having countif(not `_bqsync_deleted`) = 0
    ) as bqsync_kept
    where true and t.`id` = bqsync_kept.`id` and t.`code` = bqsync_kept.`code`), t.`_bqsync_deleted_at`, coalesce(t.`_bqsync_deleted_at`, @snapshot_at)) as `_bqsync_deleted_at`, row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'))) as `_bqsync_number`
    from `p`.`d`.`orders` as t
    where not exists (select 1 from `p`.`d`.`staged` as bqsync_kept
    where not bqsync_kept.`_bqsync_deleted` and t.`id` = bqsync_kept.`id` and t.`code` = bqsync_kept.`code`)
  ) as bqsync_old
  where bqsync_old.`_bqsync_number` = 1
) as bqsync_rows
on false
when not matched by target then
  insert (`id`, `at`, `code`, `body`, `place`, `note`, `_bqsync_deleted_at`)
  values (bqsync_rows.`id`, bqsync_rows.`at`, bqsync_rows.`code`, bqsync_rows.`body`, bqsync_rows.`place`, bqsync_rows.`note`, bqsync_rows.`_bqsync_deleted_at`)
when not matched by source then
  delete

-- the same in parts
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"STRING"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"}]}
-- keeps deleted rows: 1, at once: 0, needs the snapshot's time: 1
insert into `p`.`d`.`staged` (`id`, `at`, `code`, `body`, `place`, `note`, `_bqsync_deleted_at`, `_bqsync_deleted`)
  select bqsync_old.`id`, bqsync_old.`at`, bqsync_old.`code`, if(bqsync_old.`body` is null, null, to_json_string(bqsync_old.`body`)), bqsync_old.`place`, bqsync_old.`note`, bqsync_old.`_bqsync_deleted_at`, false
  from (
    select t.`id`, t.`at`, t.`code`, t.`body`, t.`place`, t.`note`, if(exists (select 1 from (
      select `id`, `code`
      from `p`.`d`.`staged`
      group by `id`, `code`
      having countif(not `_bqsync_deleted`) = 0
    ) as bqsync_kept
    where true and t.`id` = bqsync_kept.`id` and t.`code` = bqsync_kept.`code`), t.`_bqsync_deleted_at`, coalesce(t.`_bqsync_deleted_at`, @snapshot_at)) as `_bqsync_deleted_at`, row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'))) as `_bqsync_number`
    from `p`.`d`.`orders` as t
    where not exists (select 1 from `p`.`d`.`staged` as bqsync_kept
    where not bqsync_kept.`_bqsync_deleted` and t.`id` = bqsync_kept.`id` and t.`code` = bqsync_kept.`code`)
  ) as bqsync_old
  where bqsync_old.`_bqsync_number` = 1;
truncate table `p`.`d`.`orders`;
insert into `p`.`d`.`orders` (`id`, `at`, `code`, `body`, `place`, `note`, `_bqsync_deleted_at`)
select s.`id`, s.`at`, s.`code`, s.`body`, s.`place`, s.`note`, s.`_bqsync_deleted_at`
from (select * except (`body`), parse_json(`body`, wide_number_mode => 'round') as `body` from `p`.`d`.`staged`) as s
where not s.`_bqsync_deleted` and (unix_date(s.`at`) < 3500 or s.`at` is null);
insert into `p`.`d`.`orders` (`id`, `at`, `code`, `body`, `place`, `note`, `_bqsync_deleted_at`)
select s.`id`, s.`at`, s.`code`, s.`body`, s.`place`, s.`note`, s.`_bqsync_deleted_at`
from (select * except (`body`), parse_json(`body`, wide_number_mode => 'round') as `body` from `p`.`d`.`staged`) as s
where not s.`_bqsync_deleted` and (unix_date(s.`at`) >= 3500)

-- a replacement where deleted rows are kept
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"JSON"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"},{"name":"_bqsync_operation","type":"STRING"}]}
-- keeps deleted rows: 1, at once: 1, needs the snapshot's time: 0
insert into `p`.`d`.`orders_changes` (`id`, `at`, `code`, `body`, `place`, `_bqsync_operation`, `_bqsync_at`, `_bqsync_generation`, `_bqsync_run`)
select if(bqsync_new.`_bqsync_key` is null, bqsync_old.`id`, bqsync_new.`id`), bqsync_new.`at`, if(bqsync_new.`_bqsync_key` is null, bqsync_old.`code`, bqsync_new.`code`), bqsync_new.`body`, bqsync_new.`place`, case when bqsync_new.`_bqsync_key` is null then 'delete' when bqsync_old.`_bqsync_key` is null then 'insert' else 'update' end, timestamp_micros(1500000), 7, "run-1"
from (
  select t.*, concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) as `_bqsync_key`, concat(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`body` is null, null, to_json_string(t.`body`))) as string), ':', if(t.`body` is null, null, to_json_string(t.`body`))), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')), ifnull(st_astext(t.`place`), '')) as `_bqsync_text`
  from (
    select bqsync_rows.`id`, bqsync_rows.`at`, bqsync_rows.`code`, bqsync_rows.`body`, bqsync_rows.`place` from `p`.`d`.`staged` as bqsync_rows where not bqsync_rows.`_bqsync_deleted`
  ) as t
) as bqsync_new
full join (
  select `id`, `at`, `code`, `body`, `place`, `_bqsync_key`, `_bqsync_text` from (
    select t.*, concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) as `_bqsync_key`, concat(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`body` is null, null, to_json_string(t.`body`))) as string), ':', if(t.`body` is null, null, to_json_string(t.`body`))), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')), ifnull(st_astext(t.`place`), '')) as `_bqsync_text`,
      row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) order by t.`_bqsync_generation` desc) as `_bqsync_number`
    from `p`.`d`.`orders_changes` as t
    where t.`_bqsync_abandoned` is not true
  )
  where `_bqsync_number` = 1 and `_bqsync_operation` <> 'delete'
  union all
  select `id`, `at`, `code`, `body`, `place`, `_bqsync_key`, `_bqsync_text` from (
    select t.*, concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) as `_bqsync_key`, concat(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`body` is null, null, to_json_string(t.`body`))) as string), ':', if(t.`body` is null, null, to_json_string(t.`body`))), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')), ifnull(st_astext(t.`place`), '')) as `_bqsync_text`, row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'))) as `_bqsync_number`
    from `p`.`d`.`orders` as t
    where true and (t.`at` is null or t.`at` is not null)
  )
  where `_bqsync_number` = 1 and `_bqsync_key` not in (
    select concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) from `p`.`d`.`orders_changes` as t
    where t.`_bqsync_abandoned` is not true
  )
) as bqsync_old
on bqsync_new.`_bqsync_key` = bqsync_old.`_bqsync_key`
where bqsync_new.`_bqsync_text` is distinct from bqsync_old.`_bqsync_text`;
merge into `p`.`d`.`orders` as bqsync_target
using (
  select bqsync_new.`id`, bqsync_new.`at`, bqsync_new.`code`, bqsync_new.`body`, bqsync_new.`place`, null as `note`, null as `_bqsync_deleted_at`
  from `p`.`d`.`staged` as bqsync_new
  where not bqsync_new.`_bqsync_deleted`
  union all
  select bqsync_old.`id`, bqsync_old.`at`, bqsync_old.`code`, bqsync_old.`body`, bqsync_old.`place`, bqsync_old.`note`, bqsync_old.`_bqsync_deleted_at`
  from (
    select t.`id`, t.`at`, t.`code`, t.`body`, t.`place`, t.`note`, t.`_bqsync_deleted_at`, row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'))) as `_bqsync_number`
    from `p`.`d`.`orders` as t
    where not exists (select 1 from `p`.`d`.`staged` as bqsync_kept
    where not bqsync_kept.`_bqsync_deleted` and t.`id` = bqsync_kept.`id` and t.`code` = bqsync_kept.`code`) and (t.`at` is null or t.`at` is not null)
  ) as bqsync_old
  where bqsync_old.`_bqsync_number` = 1
) as bqsync_rows
on false
when not matched by target then
  insert (`id`, `at`, `code`, `body`, `place`, `note`, `_bqsync_deleted_at`)
  values (bqsync_rows.`id`, bqsync_rows.`at`, bqsync_rows.`code`, bqsync_rows.`body`, bqsync_rows.`place`, bqsync_rows.`note`, bqsync_rows.`_bqsync_deleted_at`)
when not matched by source and (bqsync_target.`at` is null or bqsync_target.`at` is not null) then
  delete

-- a replacement by nothing where deleted rows are marked
-- staged as {"fields":[{"name":"id","type":"INTEGER"},{"name":"at","type":"DATE"},{"name":"code","type":"STRING"},{"name":"body","type":"JSON"},{"name":"place","type":"GEOGRAPHY"},{"name":"_bqsync_deleted","type":"BOOL"},{"name":"_bqsync_operation","type":"STRING"}]}
-- keeps deleted rows: 1, at once: 1, needs the snapshot's time: 1
insert into `p`.`d`.`orders_changes` (`id`, `at`, `code`, `body`, `place`, `_bqsync_operation`, `_bqsync_at`, `_bqsync_generation`, `_bqsync_run`)
select if(bqsync_new.`_bqsync_key` is null, bqsync_old.`id`, bqsync_new.`id`), bqsync_new.`at`, if(bqsync_new.`_bqsync_key` is null, bqsync_old.`code`, bqsync_new.`code`), bqsync_new.`body`, bqsync_new.`place`, case when bqsync_new.`_bqsync_key` is null then 'delete' when bqsync_old.`_bqsync_key` is null then 'insert' else 'update' end, timestamp_micros(1500000), 7, "run-1"
from (
  select t.*, concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) as `_bqsync_key`, concat(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`body` is null, null, to_json_string(t.`body`))) as string), ':', if(t.`body` is null, null, to_json_string(t.`body`))), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')), ifnull(st_astext(t.`place`), '')) as `_bqsync_text`
  from (
    select bqsync_rows.`id`, bqsync_rows.`at`, bqsync_rows.`code`, bqsync_rows.`body`, bqsync_rows.`place` from `p`.`d`.`orders_changes` as bqsync_rows where false
  ) as t
) as bqsync_new
full join (
  select `id`, `at`, `code`, `body`, `place`, `_bqsync_key`, `_bqsync_text` from (
    select t.*, concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) as `_bqsync_key`, concat(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`body` is null, null, to_json_string(t.`body`))) as string), ':', if(t.`body` is null, null, to_json_string(t.`body`))), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')), ifnull(st_astext(t.`place`), '')) as `_bqsync_text`,
      row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) order by t.`_bqsync_generation` desc) as `_bqsync_number`
    from `p`.`d`.`orders_changes` as t
    where t.`_bqsync_abandoned` is not true
  )
  where `_bqsync_number` = 1 and `_bqsync_operation` <> 'delete'
) as bqsync_old
on bqsync_new.`_bqsync_key` = bqsync_old.`_bqsync_key`
where bqsync_new.`_bqsync_text` is distinct from bqsync_old.`_bqsync_text`;
merge into `p`.`d`.`orders` as bqsync_target
using (
  select bqsync_old.`id`, bqsync_old.`at`, bqsync_old.`code`, bqsync_old.`body`, bqsync_old.`place`, bqsync_old.`_bqsync_deleted_at`
  from (
    select t.`id`, t.`at`, t.`code`, t.`body`, t.`place`, coalesce(t.`_bqsync_deleted_at`, @snapshot_at) as `_bqsync_deleted_at`, row_number() over (partition by concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'))) as `_bqsync_number`
    from `p`.`d`.`orders` as t
    where true
  ) as bqsync_old
  where bqsync_old.`_bqsync_number` = 1
) as bqsync_rows
on false
when not matched by target then
  insert (`id`, `at`, `code`, `body`, `place`, `_bqsync_deleted_at`)
  values (bqsync_rows.`id`, bqsync_rows.`at`, bqsync_rows.`code`, bqsync_rows.`body`, bqsync_rows.`place`, bqsync_rows.`_bqsync_deleted_at`)
when not matched by source then
  delete

-- verify, deletes 0
select r.bucket, count(*), sum(cast(concat('0x', substr(r.row_hash, 1, 10)) as int64)), sum(cast(concat('0x', substr(r.row_hash, 11, 10)) as int64)), sum(cast(concat('0x', substr(r.row_hash, 21, 10)) as int64)) from (select substr(to_hex(sha256(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')))), 1, 2) as bucket, to_hex(sha256(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`body` is null, null, to_json_string(t.`body`))) as string), ':', if(t.`body` is null, null, to_json_string(t.`body`))), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')))) as row_hash from `p`.`d`.`orders` as t where true and (t.`at` is null or t.`at` is not null)) as r group by r.bucket
select concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) as key_text, to_hex(sha256(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')))), cast(t.`id` as string), cast(t.`code` as string), if(t.`body` is null, null, to_json_string(t.`body`)) from `p`.`d`.`orders` as t where true and (t.`at` is null or t.`at` is not null) and substr(to_hex(sha256(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')))), 1, 3)'abc'

-- verify, deletes 1
select r.bucket, count(*), sum(cast(concat('0x', substr(r.row_hash, 1, 10)) as int64)), sum(cast(concat('0x', substr(r.row_hash, 11, 10)) as int64)), sum(cast(concat('0x', substr(r.row_hash, 21, 10)) as int64)) from (select if(t.`_bqsync_deleted_at` is not null, 'kept', substr(to_hex(sha256(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')))), 1, 2)) as bucket, to_hex(sha256(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`body` is null, null, to_json_string(t.`body`))) as string), ':', if(t.`body` is null, null, to_json_string(t.`body`))), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')))) as row_hash from `p`.`d`.`orders` as t where true) as r group by r.bucket
select concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) as key_text, to_hex(sha256(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')))), cast(t.`id` as string), cast(t.`code` as string), if(t.`body` is null, null, to_json_string(t.`body`)) from `p`.`d`.`orders` as t where true and not t.`_bqsync_deleted_at` is not null and substr(to_hex(sha256(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')))), 1, 3)'abc'

-- verify, deletes 2
select r.bucket, count(*), sum(cast(concat('0x', substr(r.row_hash, 1, 10)) as int64)), sum(cast(concat('0x', substr(r.row_hash, 11, 10)) as int64)), sum(cast(concat('0x', substr(r.row_hash, 21, 10)) as int64)) from (select substr(to_hex(sha256(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')))), 1, 2) as bucket, to_hex(sha256(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`body` is null, null, to_json_string(t.`body`))) as string), ':', if(t.`body` is null, null, to_json_string(t.`body`))), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')))) as row_hash from `p`.`d`.`orders` as t where true) as r group by r.bucket
select concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')) as key_text, to_hex(sha256(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(cast(unix_date(t.`at`) as string)) as string), ':', cast(unix_date(t.`at`) as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n'), ifnull(concat(cast(byte_length(if(t.`place` is null, null, '')) as string), ':', if(t.`place` is null, null, '')), 'n')))), cast(t.`id` as string), cast(t.`code` as string), if(t.`body` is null, null, to_json_string(t.`body`)) from `p`.`d`.`orders` as t where true and substr(to_hex(sha256(concat(ifnull(concat(cast(byte_length(cast(t.`id` as string)) as string), ':', cast(t.`id` as string)), 'n'), ifnull(concat(cast(byte_length(t.`code`) as string), ':', t.`code`), 'n')))), 1, 3)'abc'
