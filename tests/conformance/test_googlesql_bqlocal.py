"""Google's engine answers bqlocal's own SQL tests, and thousands of expressions at the limits of their types, alike: each
run a random part of the expressions, or with BQSYNC_ALL=1 all of them.

The tests run as they are, with a session that asks both. What may differ is on the lists below, with the reason; an
entry that nothing needs fails, too, when all are asked. Of a refusal only that it is one is compared.
"""

import re
import unittest
import unittest.mock

from tests.bqlocal.tests import (sql_session, test_sql_dml, test_sql_expressions, test_sql_merge, test_sql_queries,
                                 test_sql_scripts)
from tests.conformance import expressions
from tests.conformance.engine import Engine, Refused, Unsupported, comparable
from tests.support import foreign, sampling

MODULES = [test_sql_expressions, test_sql_queries, test_sql_dml, test_sql_merge, test_sql_scripts]

# One expression of so many is asked in a run.
EXPRESSIONS = 4

# What a statement contains, and why the two may differ there.
ALLOWED = {
    "INFORMATION_SCHEMA": "a view of BigQuery's, not of the engine's",
    "SELECT id, id FROM d.people": "a rule of BigQuery's result tables, not of the engine's",
}

# Expressions in which bqlocal differs: a pattern, and how.
DIFFERENT = {
    r"(?i)(extract\(ISO|(trunc|diff)\(.*ISOYEAR)": "bqlocal lacks some parts of ISO weeks",
    r"(?i)trunc\(.*0001-01-01.*WEEK\)": "bqlocal goes to the year 0",
    r"BIGNUMERIC \"-?57896044618658": "bqlocal goes beyond the range of BIGNUMERIC",
    r"cast\((BIGNUMERIC \"-?0\.0{37}1|\"1e-400|\"0\.000000000[45]).* as (BIG)?NUMERIC\)": "bqlocal does not round",
    r"^round\(cast\(\"123456789": "bqlocal rounds at any place",
    r"^safe_cast\(\"(-?0x|1\.5e400).*FLOAT64": "bqlocal takes neither hexadecimal nor too large FLOAT64",
    r"^safe_cast\(\"2020-01-02( |\+01)\" as TIMESTAMP": "bqlocal takes it",
    r"^safe_cast\(\"12:34:60\" as TIME": "bqlocal knows no leap second",
    r"(?i)time_diff\(.*MILLISECOND": "bqlocal rounds the whole difference",
    r"^json_(query|value)\(\"": "bqlocal reads JSON in a STRING by other rules",
    r"(\\u0000|from_hex\(\"(6100|00)\"\)).*": "bqlocal ends a text at a zero byte",
}

# Tests of bqlocal's own limits, not of the language, and those that take the reference implementation minutes.
LEFT_OUT = {
    "test_a_merge_of_thousands_of_rows_finds_every_partner": "the engine joins by nested loops",
    "test_exists_finds_thousands_of_partners": "the engine joins by nested loops",
    "test_outer_joins_find_thousands_of_partners": "the engine joins by nested loops",
    "test_long_chains_of_conditions_run": "the engine's stack",
    "test_deep_nesting_is_refused": "the engine's stack",
    "test_many_parentheses_are_refused_at_once": "the engine takes them",
}


class Judged(sql_session.Session):
    """A session of bqlocal's that also asks the engine, and notes where the two differ."""

    engine = None
    different = []  # (statement, bqlocal's answer, the engine's)
    compared = 0

    def __init__(self, *file):
        super().__init__(*file)
        self.engine.forget()

    def run(self, sql, **more):
        try:
            answer = super().run(sql, **more)
        except sql_session.SqlFailed as error:
            self.judge(sql, more, error, f"refused: {error}")
            raise
        self.judge(sql, more, answer, shown(sql, answer, answer.get("schema")))
        return answer

    def judge(self, sql, more, answer, ours):
        own_limit = isinstance(answer, sql_session.SqlFailed) and re.search(r"\bbqlocal (does|has)\b", answer.message)
        if own_limit or set(more) - {"parameters"}:
            return
        try:
            theirs = self.engine.run(sql, more.get("parameters", ()))
            theirs = shown(sql, theirs, None if isinstance(answer, Exception) else answer.get("schema"))
        except Refused as error:
            theirs = f"refused: {error}"
        except Unsupported:
            return
        Judged.compared += 1
        if ours != theirs and not all(isinstance(side, str) for side in (ours, theirs)):
            self.different.append((sql, ours, theirs))


def shown(sql, answer, schema):
    """What is compared of an answer: rows, in their order where the statement has one, or how many rows changed."""
    if "rows" in answer:
        kinds = [field["type"] for field in schema or []] or [None] * 1000
        rows = [tuple(map(comparable, kinds, row)) for row in answer["rows"]]
        return rows if "order by" in sql.lower() else sorted(rows, key=repr)
    counts = answer["statements"][-1] if "statements" in answer else answer
    return tuple(counts.get(kind, 0) for kind in ("inserted", "updated", "deleted"))


def cases(suite):
    for item in suite:
        yield from cases(item) if isinstance(item, unittest.TestSuite) else [item]


class MirrorTest(unittest.TestCase):
    def setUp(self):
        stage = foreign.Stage("googlesql")
        self.addCleanup(stage.close)
        Judged.engine = self.enterContext(Engine(stage))

    def test_expressions_have_the_values_that_googles_engine_gives_them(self):
        used, known = set(), list(expressions.all_of_them())
        self.assertGreater(len(known), 10000)
        print(sampling.told(EXPRESSIONS, "expression"))
        with Judged() as session:
            Judged.different.clear()
            for expression in sampling.chosen(known, EXPRESSIONS, "expressions"):
                try:
                    session.run(f"SELECT {expression}")
                except sql_session.SqlFailed:
                    pass
                except UnicodeDecodeError:
                    Judged.different.append((f"SELECT {expression}", "not UTF-8", None))
        for sql, ours, theirs in Judged.different:
            patterns = {pattern for pattern in DIFFERENT if re.search(pattern, sql.removeprefix("SELECT "))}
            used |= patterns
            if not patterns:
                with self.subTest(sql):
                    self.fail(f"bqlocal: {ours}\nGoogle's engine: {theirs}")
        if sampling.everything():
            self.assertEqual(set(), set(DIFFERENT) - used, "these differ no more: take them off the list")

    def test_bqlocal_answers_as_googles_engine_does(self):
        suite = unittest.TestSuite()
        for module in MODULES:
            self.enterContext(unittest.mock.patch.object(module, "Session", Judged))
            suite.addTests(case for case in cases(unittest.defaultTestLoader.loadTestsFromModule(module))
                           if case.id().split(".")[-1] not in LEFT_OUT)

        Judged.different.clear()
        result = suite.run(unittest.TestResult())

        self.assertEqual([], result.errors + result.failures)
        self.assertGreater(Judged.compared, 300)
        used = set()
        for sql, ours, theirs in Judged.different:
            reasons = {part for part in ALLOWED if part in sql}
            used |= reasons
            if not reasons:
                with self.subTest(sql):
                    self.fail(f"bqlocal: {ours}\nGoogle's engine: {theirs}")
        self.assertEqual(set(), set(ALLOWED) - used, "these differ no more: take them off the list")


if __name__ == "__main__":
    unittest.main()
