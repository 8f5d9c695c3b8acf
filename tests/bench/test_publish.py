"""docs/performance.md and its charts show the results that docs/figures holds."""

import unittest

from tests.bench import publish, svg


class PublishTest(unittest.TestCase):
    def test_the_page_and_its_charts_show_the_published_results(self):
        results = publish.published()
        text = (publish.DOCS / "performance.md").read_text("utf-8")

        self.assertTrue(results)
        self.assertEqual(publish.page(text, results), text, "./dev bench --plot brings it up to date")
        charts = publish.charts(results)
        for name, content in charts.items():
            with self.subTest(name):
                self.assertEqual(content, (publish.DOCS / "figures" / name).read_text("utf-8"))
        self.assertEqual(set(charts), {path.name for path in (publish.DOCS / "figures").glob("*.svg")})

    def test_every_table_and_chart_is_on_the_page(self):
        text = (publish.DOCS / "performance.md").read_text("utf-8")

        for name, document in publish.published().items():
            self.assertIn(f"<!-- measured {name} -->", text)
            for table in document["tables"]:
                self.assertIn(f"<!-- table {name}-{table} -->", text)
        for chart in publish.charts(publish.published()):
            self.assertIn(f"(figures/{chart})", text)

    def test_a_table_is_replaced_between_its_marks(self):
        results = {"sync": {"machine": "a machine", "date": "2026-01-02", "load_before": 1, "load_after": 2, "charts": {},
                            "tables": {"rows": {"columns": ["tool", "s"], "rows": [["a | b", "1"]], "note": "One round."}}}}

        self.assertEqual(
            "above\n<!-- table sync-rows -->\n| tool | s |\n| --- | ---: |\n| a \\| b | 1 |\n\nOne round.\n<!-- end -->\n",
            publish.page("above\n<!-- table sync-rows -->\nold\n<!-- end -->\n", results))
        with self.assertRaisesRegex(SystemExit, "wants table sync-other"):
            publish.page("<!-- table sync-other -->\n<!-- end -->\n", results)

    def test_a_bar_is_as_long_as_its_median(self):
        chart = svg.bars("Times", "s", [("one", 1, 1, 1), ("<two>", 1, 2, 4)])

        widths = [float(part.split('"')[0]) for part in chart.split('<rect x="')[1:] for part in [part.split('width="')[1]]]
        self.assertAlmostEqual(2, widths[1] / widths[0], delta=0.01)
        self.assertIn("&lt;two&gt;", chart)
        self.assertEqual(1, chart.count("<path"))


if __name__ == "__main__":
    unittest.main()
