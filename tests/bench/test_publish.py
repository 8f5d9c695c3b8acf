"""The pages and their charts show the results that docs/figures holds."""

import unittest

from tests.bench import publish, svg


def read(name):
    return (publish.DOCS / name).read_text("utf-8")


class PublishTest(unittest.TestCase):
    def test_the_pages_and_their_charts_show_the_published_results(self):
        results = publish.published()

        self.assertTrue(results)
        for name in publish.PAGES:
            self.assertEqual(publish.page(name, read(name), results), read(name), "./dev bench --plot brings it up to date")
        charts = publish.charts(results)
        for name, content in charts.items():
            with self.subTest(name):
                self.assertEqual(content, (publish.DOCS / "figures" / name).read_text("utf-8"))
        self.assertEqual(set(charts), {path.name for path in (publish.DOCS / "figures").glob("*.svg")})

    def test_every_table_and_chart_is_on_a_page(self):
        text = "".join(map(read, publish.PAGES))

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
            publish.page("page.md", "above\n<!-- table sync-rows -->\nold\n<!-- end -->\n", results))
        with self.assertRaisesRegex(SystemExit, "docs/page.md wants table sync-other"):
            publish.page("page.md", "<!-- table sync-other -->\n<!-- end -->\n", results)

    def test_a_bar_is_as_long_as_its_median(self):
        chart = svg.bars("Times", "s", [("one", 1, 1, 1), ("<two>", 1, 2, 4)])

        widths = [float(part.split('"')[0]) for part in chart.split('<rect x="')[1:] for part in [part.split('width="')[1]]]
        self.assertAlmostEqual(2, widths[1] / widths[0], delta=0.01)
        self.assertIn("&lt;two&gt;", chart)
        self.assertEqual(1, chart.count("<path"))

    def test_a_line_goes_through_its_points_on_axes_that_begin_at_zero(self):
        chart = svg.lines("Memory", "MiB", "minutes", {"<one>": [[0, 0], [30, 20], [60, 10]]})

        path = chart.split('<path d="M')[-1].split('"')[0]
        points = [tuple(map(float, point.split())) for point in path.split("L")]
        self.assertEqual([(56.0, 252.0), (376.0, 52.0), (696.0, 152.0)], points)
        self.assertIn("&lt;one&gt;", chart)
        self.assertEqual([[0, 10, 20, 30, 40, 50, 60, 70], [0, 5, 10, 15, 20]], [svg.ticks(61), svg.ticks(17)])



if __name__ == "__main__":
    unittest.main()
