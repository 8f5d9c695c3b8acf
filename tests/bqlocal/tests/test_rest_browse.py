"""bqlocal's pages for a browser: tables, rows, and a box for queries that only read."""

import urllib.error
import urllib.parse
import urllib.request

from tests.bqlocal.tests.rest_case import RestCase
from tests.support import demo_report



class BrowseTest(RestCase):
    def setUp(self):
        super().setUp()
        self.bq.query("create table d.users (id INT64, made_at TIMESTAMP, note STRING)")
        self.bq.query("insert into d.users (id, made_at, note) values (1, timestamp '2025-02-09 08:56:31 UTC', '<b>&'),"
                      " (9007199254740993, timestamp '2025-02-09 08:56:31.25 UTC', null)")

    def page(self, path, status=200):
        try:
            with urllib.request.urlopen(self.bq.url + path) as answer:
                self.assertEqual(status, answer.status)
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            self.assertEqual(status, error.code)
            return error.read().decode()

    def ask(self, query, status=200):
        return self.page("/bqlocal/query?" + urllib.parse.urlencode({"query": query}), status)

    def test_times_are_written_as_people_write_them(self):
        for page in (self.page("/bqlocal/tables/d/users"), self.ask("select * from d.users order by id")):
            self.assertIn("2025-02-09T08:56:31Z", page)
            self.assertIn("2025-02-09T08:56:31.250", page)
            self.assertNotIn("1739091391", page)

    def test_the_demo_prints_them_so_too(self):
        rows = demo_report.query(self.bq.url, "select made_at from d.users order by id", self.bq.project)
        self.assertEqual("2025-02-09T08:56:31Z", rows[0][0])

    def test_a_select_is_answered_with_its_rows(self):
        page = self.ask("select id, note from d.users where id > 1")
        self.assertIn("9007199254740993", page)
        self.assertIn("NULL", page)
        self.assertIn("1 row<", page)
        self.assertIn("where id &gt; 1</textarea>", page)
        self.assertIn("&lt;b&gt;&amp;", self.ask("select note from d.users where id = 1"))

    def test_what_would_write_is_refused_and_changes_nothing(self):
        for query in ("delete from d.users where true", "drop table d.users", "select 1; delete from d.users where true",
                      "insert into d.users (id) values (3)", "create table d.more (id INT64)",
                      "update d.users set note = 'x' where true", "begin transaction; commit transaction"):
            with self.subTest(query):
                self.assertIn("This box runs one SELECT", self.ask(query, 400))
        self.assertEqual(["users"], self.bq.tables("d"))
        self.assertEqual(2, self.bq.scalar("select count(*) from d.users"))

    def test_a_mistake_is_shown_beside_the_query(self):
        page = self.ask("select nothing from d.users", 400)
        self.assertIn("role=\"alert\"", page)
        self.assertIn("nothing", page.split("role=\"alert\"")[1])
        self.assertIn("select nothing from d.users</textarea>", page)
        self.assertIn("role=\"alert\"", self.page("/bqlocal/query", 400))

    def test_a_query_from_the_page_is_no_request_to_bigquery(self):
        before = len(self.bq.requests())
        self.ask("select 1")
        self.assertEqual(before, len(self.bq.requests()))

    def test_pages_are_made_for_phones_and_have_an_icon(self):
        for path in ("/", "/bqlocal/tables/d/users", "/bqlocal/query?query=select+1"):
            with self.subTest(path):
                page = self.page(path)
                self.assertIn('<meta name="viewport"', page)
                self.assertIn('<link rel="icon" href="data:image/svg+xml', page)
                self.assertIn("<textarea", page)
                self.assertNotIn("<script", page)

    def test_a_view_has_columns_and_a_query_and_no_rows(self):
        self.bq.query("create view d.notes (word options(description='what was said')) as select note from d.users")

        page = self.page("/bqlocal/tables/d/notes")
        self.assertIn("what was said", page)
        self.assertIn("a view: run the query", page)
        self.assertIn("&lt;b&gt;&amp;", self.ask("select * from d.notes"))
        self.assertIn("/bqlocal/tables/d/notes", self.page("/"))

    def test_a_table_that_is_not_there_is_not_found(self):
        self.assertIn("notFound", self.page("/bqlocal/tables/d/nothing", 404))
