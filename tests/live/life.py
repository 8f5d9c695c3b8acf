"""One life of a database, from check to an empty table: for a test case with self.place."""


class Life:
    def bqsync(self, *arguments, status=0):
        ended, document = self.place.bqsync(*arguments)
        self.assertEqual(status, ended, document)
        return document

    def table(self, document, name):
        return next(table for table in document["tables"] if table["table"] == name)

    def query(self, sql):
        return self.place.client.query(sql)

    def test_one_life_of_a_database(self):
        dataset = self.place.dataset
        self.place.script(FIRST_ROWS)

        with self.subTest("check"):
            self.assertTrue(self.bqsync("check")["ok"])
        with self.subTest("first sync"):
            self.assertTrue(self.bqsync("sync")["ok"])
            self.assertTrue(self.bqsync("verify")["ok"])
        with self.subTest("idle"):
            self.assertEqual({"unchanged"}, {table["status"] for table in self.bqsync("sync")["tables"]})
        with self.subTest("insert, update and delete"):
            self.place.script(CHANGES)
            run = self.bqsync("sync")
            self.assertEqual(("merge", 1, 1, 1), tuple(self.table(run, "accounts")[key] for key in (
                "mode", "rows_inserted", "rows_updated", "rows_deleted")))
            self.assertEqual("append", self.table(run, "events")["mode"])
            self.assertTrue(self.bqsync("verify")["ok"])
        with self.subTest("an independent query"):
            rows = self.query(f"select id, note from `{dataset}`.accounts order by id")
            self.assertEqual([(1, "x"), (3, ""), (4, None)], [(row["id"], row["note"]) for row in rows])
        with self.subTest("verify finds a change made by hand, and repair fixes it"):
            self.query(f"delete from `{dataset}`.memberships where person = 'f'")
            self.assertFalse(self.bqsync("verify", status=1)["ok"])
            self.assertTrue(self.bqsync("verify", "--repair")["ok"])
        with self.subTest("a dropped table is filled again"):
            self.place.client.delete(f"datasets/{dataset}/tables/devices")
            self.assertEqual(2, self.table(self.bqsync("sync"), "devices")["rows_inserted"])
        with self.subTest("an empty table and a full sync"):
            self.place.script("delete from events")
            self.assertTrue(self.bqsync("sync", "--full")["ok"])
            self.assertEqual(0, self.query(f"select count(*) as n from `{dataset}`.events")[0]["n"])
        with self.subTest("no staging table remains"):
            names = self.place.client.tables(dataset)
            self.assertEqual([], [name for name in names if name.startswith("bqsync_staging_")])


FIRST_ROWS = """
    insert into accounts values (1, 'a@x', 1.5, null), (2, 'b@x', -0.000000001, 'größe'), (3, 'c@x', null, '');
    insert into events(kind, payload, at) values ('a', '{"b": [1, null]}', 1700000000), ('c', 'null', 1);
    insert into memberships values ('t', 'é', 'owner', '2024-02-29'), ('t', 'f', null, null);
    insert into devices values ('s-1', 1, 0.1), ('s-2', 0, 5e-324);
    insert into everything values
      (1, 9223372036854775807, 1.7976931348623157e308, 1, 'text', x'00ff',
       '99999999999999999999999999999.999999999',
       '578960446186580977117854925043439539266.34992332820282019728792003956564819967',
       '0001-01-01', '23:59:59.999999', '9999-12-31 23:59:59.999999', '0001-01-01T00:00:00Z', '{"a": 1.50}', 'POINT(1 2)'),
      (2, -9223372036854775808, -0.0, 0, '', x'', '-0.000000001',
       '-578960446186580977117854925043439539266.34992332820282019728792003956564819968',
       '9999-12-31', '00:00', '0001-01-01', '9999-12-31 23:59:59.999999', 'null', null),
      (3, null, null, null, null, null, null, null, null, null, null, null, null, null);"""
CHANGES = """
    update accounts set note = 'x' where id = 1; delete from accounts where id = 2;
    insert into accounts values (4, 'd@x', 4, null);
    insert into events(kind, at) values ('d', 2);
    update memberships set role = 'member' where person = 'f';
    update everything set j = '[]', n = '1' where id = 1; delete from everything where id = 3;"""
