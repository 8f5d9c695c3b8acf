"""All problems of a definition come out in one run: mistakes that do not touch each other are all
reported, each once, and nothing is reported that only follows from one of them."""

import copy
import json
import os
import random
import re
import tempfile
import unittest

from codegen import schema

_TAG = "projects/p/locations/eu/taxonomies/1/policyTags/2"
_RIGHT = {
    "table": "orders",
    "description": "What was ordered",
    "target": "sales",
    "key": ["id"],
    "on_reject": "fail",
    "where": "amount > 0",
    "sync": {"mode": "upsert", "capture": "auto", "columns_not_listed": "error", "ignore": ["note"]},
    "bigquery": {
        "partition_by": "DATE(made)",
        "cluster_by": ["id", "kind"],
        "require_partition_filter": True,
        "labels": {"team": "core"}},
    "columns": [
        {"name": "id", "type": "INT64", "mode": "REQUIRED"},
        {"name": "made", "type": "TIMESTAMP", "format": ["iso8601"], "zone": "UTC", "immutable": True},
        {"name": "kind", "type": "STRING", "text": "uuid"},
        {"name": "mail", "type": "STRING", "transform": "sha256"},
        {"name": "amount", "type": "NUMERIC", "empty": "null"},
        {"name": "payload", "type": "JSON", "json": "round"},
        {"name": "paid", "type": "BOOL", "bool": "words"},
        {"name": "picture", "type": "BYTES", "policy_tags": [_TAG]},
    ],
}


def _put(*path_and_value):
    *path, last, value = path_and_value

    def change(document):
        for key in path:
            document = document[key]
        document[last] = value
    return change


def _append(*path_and_value):
    *path, value = path_and_value

    def change(document):
        for key in path:
            document = document[key]
        document.append(value)
    return change


def _remove(*path):
    def change(document):
        for key in path[:-1]:
            document = document[key]
        del document[path[-1]]
    return change


def _misspell(key, wrong):
    """The key of the definition itself: what it holds is checked all the same."""
    def change(document):
        items = [(wrong if name == key else name, value) for name, value in document.items()]
        document.clear()
        document.update(items)
    return change


def _mistakes():
    """(slots, path, change): two mistakes that share a slot are not made together, because one decides
    what can be said about the other. A change of the first level comes last, because it moves the
    others."""
    made = [
        ("table", "table", _put("table", "Orders")),
        ("description", "description", _put("description", 5)),
        ("target", "target", _put("target", "a/b")),
        ("key+", "key[1]", _append("key", "nope")),
        ("key+", "key[1]", _append("key", "id")),
        ("key+ columns[5]type", "key[1]", _append("key", "payload")),
        ("on_reject", "on_reject", _put("on_reject", "skip")),
        ("where", "where", _put("where", "amount >")),
        ("colour", "colour", _put("colour", "red")),
        ("mode", "sync.mode", _put("sync", "mode", "upset")),
        ("mode", "sync.mode", _put("sync", "mode", "zzz")),
        ("mode", "sync.mode", _remove("sync", "mode")),
        ("capture", "sync.capture", _put("sync", "capture", "trigger")),
        ("unlisted", "sync.columns_not_listed", _put("sync", "columns_not_listed", "warn")),
        ("ignore", "sync.ignore[1]", _append("sync", "ignore", "mail")),
        ("ignore", "sync.ignore[1]", _append("sync", "ignore", 7)),
        ("sync.colour", "sync.colour", _put("sync", "colour", "red")),
        ("partition", "bigquery.partition_by", _put("bigquery", "partition_by", "DATE(nope)")),
        ("partition columns[1]type", "bigquery.partition_by", _put("bigquery", "partition_by", "made")),
        ("partition", "bigquery.partition_by", _put("bigquery", "partition_by", "every day")),
        ("partition", "bigquery.partition_by", _put("bigquery", "partition_by", 1)),
        ("cluster", "bigquery.cluster_by[2]", _append("bigquery", "cluster_by", "nope")),
        ("cluster columns[5]type", "bigquery.cluster_by[2]", _append("bigquery", "cluster_by", "payload")),
        ("filter", "bigquery.require_partition_filter", _put("bigquery", "require_partition_filter", "yes")),
        ("label", "bigquery.labels.Team", _put("bigquery", "labels", "Team", "x")),
        ("label", "bigquery.labels.team", _put("bigquery", "labels", "team", "X")),
        ("bigquery.colour", "bigquery.colour", _put("bigquery", "colour", "red")),
        ("column+", "columns[8].name", _append("columns", {"name": "MAIL", "type": "STRING"})),
        ("column+", "columns[8].name", _append("columns", {"name": "_bqsync_x", "type": "STRING"})),
        ("column+", "columns[8]", _append("columns", "a string")),
        ("made.format", "columns[1].format[1]", _append("columns", 1, "format", "unix_z")),
        ("made.zone", "columns[1].zone", _put("columns", 1, "zone", "Europe/Berln")),
        ("kind.text", "columns[2].text", _put("columns", 2, "text", "uid")),
        ("mail.transform", "columns[3].transform", _put("columns", 3, "transform", "md5")),
        ("amount.empty", "columns[4].empty", _put("columns", 4, "empty", "nil")),
        ("payload.json", "columns[5].json", _put("columns", 5, "json", "rond")),
        ("paid.bool", "columns[6].bool", _put("columns", 6, "bool", "word")),
        ("picture.tags", "columns[7].policy_tags[0]", _put("columns", 7, "policy_tags", ["tag"])),
    ]
    for at in range(len(_RIGHT["columns"])):
        place = "columns[%d]" % at
        made += [
            (place + "type", place + ".type", _put("columns", at, "type", "XYZZY")),
            (place + "type", place + ".type", _remove("columns", at, "type")),
            (place + "colour", place + ".colour", _put("columns", at, "colour", "red")),
            (place + "description", place + ".description", _put("columns", at, "description", 5)),
            (place + "mode", place + ".mode", _put("columns", at, "mode", "required")),
            (place + "nmae", place + ".nmae", _rename_member(at))]
    for key, wrong in (("columns", "colums"), ("sync", "snyc"), ("bigquery", "bigqery"), ("key", "kye")):
        made.append((key, wrong, _misspell(key, wrong)))
    return made


def _rename_member(at):
    def change(document):
        column = document["columns"][at]
        column["nmae"] = column.pop("name")
    return change


class ProblemsTest(unittest.TestCase):
    def places(self, document):
        """Where the generator sees problems, in its order."""
        with tempfile.TemporaryDirectory() as directory:
            with open(os.path.join(directory, "orders.json"), "w", encoding="utf-8") as file:
                json.dump(document, file, indent=1)
            messages = schema.load(directory, "schemas").messages
        lines = [int(message.split(":")[1]) for message in messages]
        self.assertEqual(sorted(lines), lines)
        return [re.match(r"schemas/orders\.json:\d+: ([^ ]+): ", message).group(1) for message in messages]

    def test_the_definition_without_mistakes_is_right(self):
        self.assertEqual([], self.places(_RIGHT))

    def test_mistakes_are_all_reported_in_one_run_and_nothing_else(self):
        mistakes = _mistakes()
        for seed in range(600):
            chance = random.Random(seed)
            chosen = []
            taken = set()
            for number in chance.sample(range(len(mistakes)), chance.choice((1, 2, 3, 5, 10, 30))):
                slots = set(mistakes[number][0].split())
                if not slots & taken:
                    chosen.append(number)
                    taken |= slots
            document = copy.deepcopy(_RIGHT)
            expected = []
            moved = {}
            for number in sorted(chosen):
                slot, path, change = mistakes[number]
                change(document)
                expected.append(path)
                if slot in _RIGHT and slot != path:
                    moved[slot] = path
            expected = [
                re.sub(r"^(columns|sync|bigquery|key)(?=[.\[])", lambda found: moved.get(found[1], found[1]), path)
                for path in expected]
            with self.subTest(seed=seed):
                self.assertEqual(sorted(expected), sorted(self.places(document)))

    def test_one_value_says_all_that_is_wrong_with_it(self):
        document = copy.deepcopy(_RIGHT)
        document["bigquery"]["partition_by"] = "RANGE_BUCKET(kind, GENERATE_ARRAY(10, 0, 5))"
        document["columns"][1].pop("immutable")

        self.assertEqual(["bigquery.partition_by"] * 2, self.places(document))

    def test_a_column_without_a_name_may_be_the_one_that_the_key_names(self):
        document = copy.deepcopy(_RIGHT)
        del document["columns"][0]["name"]

        self.assertEqual(["columns[0].name"], self.places(document))

    def test_a_missing_or_additional_comma_hides_nothing(self):
        with tempfile.TemporaryDirectory() as directory:
            with open(os.path.join(directory, "orders.json"), "w", encoding="utf-8") as file:
                file.write('{"table": "orders", // which\n"key": ["id",],\n"sync": {"mode": "upset"}\n'
                           '"columns": [{"name": "id" "type": "INT"}\n{"name": "a", "type": "STRING",}]}')
            messages = schema.load(directory, "schemas").messages

        self.assertEqual(
            ["1:21", "2:14", "3", "4:1", "4:27", "4", "5:1", "5:32"],
            [re.match(r"schemas/orders\.json:(\d+(:\d+)?): ", message).group(1) for message in messages])


if __name__ == "__main__":
    unittest.main()
