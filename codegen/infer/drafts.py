"""From profiles to what a definition will say: what is left out or hashed, what foreign keys join, and
the key."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field, replace
from typing import Dict, List, Optional, Set, Tuple

from ..checking import listing
from . import keys, privacy, shapes
from ..naming import fold
from .catalog import SourceTable
from .choice import Choice, reads, refused
from .choose import Chosen, almost, borrow, choose, thousands
from .names import asks
from .profile import Profile

_HASHABLE = ("STRING", "BYTES", "JSON")
_NUMBERS_MIN = 10**6  # smaller ones call nobody
_NUMBERS = ("INT64", "FLOAT64", "NUMERIC")


@dataclass
class Private:
    """why: what the column seems to hold and how that is known. left_out, or else hashed."""

    why: str
    left_out: bool


@dataclass
class Draft:
    table: SourceTable
    profiles: List[Profile]
    chosen: List[Chosen] = field(default_factory=list)
    private: Dict[str, Private] = field(default_factory=dict)  # by column
    key: Tuple[str, ...] = ()
    key_remarks: List[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names = [column.name for column in self.table.columns]

    def place(self, column: str) -> Optional[int]:
        """SQLite does not tell names by case."""
        lowered = [fold(name) for name in self.names]
        return lowered.index(fold(column)) if fold(column) in lowered else None

    def choice(self, column: str) -> Choice:
        return self.chosen[self.names.index(column)].choice

    def choose(self, column: str, choice: Choice) -> None:
        place = self.names.index(column)
        self.chosen[place] = Chosen(choice, refused(choice, self.profiles[place]))

    @property
    def unfit(self) -> bool:
        """Whether some value of a column that is sent does not fit."""
        return any(one.unfit for name, one in zip(self.names, self.chosen) if not self.is_left_out(name))

    def is_left_out(self, column: str) -> bool:
        return column in self.private and self.private[column].left_out


def make_drafts(
    database: sqlite3.Connection, read: List[Tuple[SourceTable, List[Profile]]]
) -> List[Draft]:
    drafts = [_draft(table, profiles) for table, profiles in read]
    profiles = [profile for draft in drafts for profile in draft.profiles]
    chosen = borrow(profiles, [one for draft in drafts for one in draft.chosen])
    for draft in drafts:
        draft.chosen, chosen = chosen[:len(draft.names)], chosen[len(draft.names):]
        _find_private(draft)
    joined = _joined(drafts)
    for group in joined:
        _agree(drafts, group)
    in_joins = {(drafts[one].table.name, column) for group in joined for one, column in group}
    for draft in drafts:
        keep = {column for table, column in in_joins if table == draft.table.name}
        _apply_private(draft, keep | set(_names_of(draft, draft.table.primary_key)))
        _choose_key(database, draft)
        _allow_empty(draft)
    return drafts


def _names_of(draft: Draft, columns: Tuple[str, ...]) -> Tuple[str, ...]:
    places = [draft.place(column) for column in columns]
    return tuple(draft.names[place] for place in places if place is not None)


def _draft(table: SourceTable, profiles: List[Profile]) -> Draft:
    draft = Draft(table, profiles)
    in_key = {fold(name) for name in table.primary_key}
    for profile in profiles:
        key = fold(profile.column.name) in in_key
        chosen = _row_id(profile) if key and table.rowid_key else choose(profile, key)
        draft.chosen.append(chosen if key else almost(profile, chosen))
    return draft


def _row_id(profile: Profile) -> Chosen:
    """Integers always, and best left so: new rows are found by them."""
    formats = profile.counts.formats()
    remark = "numbers that would be times as %s, kept as they are because new rows are found by them"
    return Chosen(Choice("INT64"), 0, (remark % listing(formats),) if formats else ())


# --- privacy -------------------------------------------------------------------------------------


def _find_private(draft: Draft) -> None:
    for profile, one in zip(draft.profiles, draft.chosen):
        found = _private(draft.table.name, profile, one.choice)
        if found is not None:
            draft.private[profile.column.name] = found


def _private(table: str, profile: Profile, choice: Choice) -> Optional[Private]:
    name, values = profile.column.name, profile.values
    what, count = shapes.secret_by_shape(profile.shapes)
    if what:
        return Private("%s of %s values look like %s" % (thousands(count), thousands(values), what), True)
    what = privacy.secret_by_name(table, name)
    # Without a value, the declared type says what will come.
    number = choice.type in _NUMBERS and (not values or profile.int_not_bit or profile.reals)
    if what and (choice.type in _HASHABLE or number and privacy.is_secret_number(name)):
        return Private("its name speaks of %s" % what, True)
    what = privacy.session_by_name(table, name)
    if what and choice.type in _HASHABLE:
        return Private("its name speaks of %s" % what, False)
    what, count = shapes.personal_by_shape(profile.shapes, values)
    if what:
        return Private("%s of %s values look like %s" % (thousands(count), thousands(values), what), False)
    what = privacy.personal_by_name(name)
    number = choice.type in _NUMBERS and not asks(name) and (
        not values or profile.int_high >= _NUMBERS_MIN or profile.reals > 0)
    if what and (choice.type == "STRING" or number and "mail" not in what):
        return Private("its name speaks of %s" % what, False)
    return None


def _apply_private(draft: Draft, needed: Set[str]) -> None:
    """Hashes what is private. A secret that rows are joined or known by is hashed too, not left out;
    a blob that is no text cannot be hashed."""
    for name, private in list(draft.private.items()):
        private.left_out = private.left_out and name not in needed
        profile = draft.profiles[draft.names.index(name)]
        ways = [Choice("STRING", transform="sha256"), Choice("STRING", text="utf8", transform="sha256")]
        if draft.choice(name).text in ("uuid", "guid"):
            ways.insert(0, replace(draft.choice(name), transform="sha256"))
        way = next((one for one in ways if reads(one, profile) == profile.values), None)
        if way is not None:
            draft.choose(name, way)
        elif name in needed:
            del draft.private[name]
            draft.key_remarks.append(
                "%s is sent as it is, because other rows need it and a blob cannot be hashed: %s"
                % (name, private.why))
        else:
            private.left_out = True


# --- foreign keys ----------------------------------------------------------------------------------

_Member = Tuple[int, str]  # the draft, the column


def _joined(drafts: List[Draft]) -> List[List[_Member]]:
    """Columns that foreign keys join, in groups; in each of them the parent of all comes first."""
    by_name = {fold(draft.table.name): place for place, draft in enumerate(drafts)}
    parents: Dict[_Member, _Member] = {}
    for place, draft in enumerate(drafts):
        for key in draft.table.foreign_keys:
            parent = by_name.get(fold(key.parent))
            if parent is None:
                continue
            theirs = key.parent_columns or drafts[parent].table.primary_key
            ours = _names_of(draft, key.columns)
            theirs = _names_of(drafts[parent], theirs)
            if len(ours) == len(theirs) == len(key.columns):
                for mine, their in zip(ours, theirs):
                    parents.setdefault((place, mine), (parent, their))
    groups: Dict[_Member, List[_Member]] = {}
    for member in parents:
        root, seen = member, {member}
        while root in parents and parents[root] not in seen:
            root = parents[root]
            seen.add(root)
        if root != member:
            groups.setdefault(root, [root]).append(member)
    return [groups[root] for root in sorted(groups)]


def _agree(drafts: List[Draft], group: List[_Member]) -> None:
    """Reads each column as its parent where that reads it; and what is private in one of them is
    private in all."""
    members = [(drafts[place], column) for place, column in group]
    choice = members[0][0].choice(members[0][1])
    for draft, column in members[1:]:
        profile = draft.profiles[draft.names.index(column)]
        way = choice
        if profile.tag("empty") and choice.type not in _HASHABLE[:2]:
            way = replace(choice, empty="null")
        if reads(way, profile) == profile.values and draft.choice(column) != way:
            draft.choose(column, way)
    private = next((draft.private[column] for draft, column in members if column in draft.private), None)
    for draft, column in members:
        if private is not None and column not in draft.private:
            draft.private[column] = Private("it is joined with such a column: " + private.why, False)


# --- keys ------------------------------------------------------------------------------------------


def _choose_key(database: sqlite3.Connection, draft: Draft) -> None:
    choices = dict(zip(draft.names, (one.choice for one in draft.chosen)))
    profiles = dict(zip(draft.names, draft.profiles))
    found = [_names_of(draft, names) for names in keys.candidates(draft.table)]
    for names in sorted(found, key=lambda names: any(draft.is_left_out(name) for name in names)):
        if any(draft.is_left_out(name) and not choices[name].transform for name in names):
            continue
        why = keys.problem(database, draft.table, names, profiles, choices)
        if why:
            as_text = {name: _as_text(profiles[name], choices[name]) for name in names}
            if not keys.problem(database, draft.table, names, profiles, {**choices, **as_text}):
                draft.key_remarks.append("%s: STRING, because %s" % (", ".join(names), why))
                for name in names:
                    draft.choose(name, as_text[name])
                why = ""
        if not why:
            draft.key = names
            for name in names:
                if draft.is_left_out(name):
                    draft.private[name].left_out = False
            return
        draft.key_remarks.append("%s cannot be the key: %s" % (", ".join(names), why))


def _as_text(profile: Profile, choice: Choice) -> Choice:
    text = Choice("STRING")
    return text if not refused(text, profile) else choice


def _allow_empty(draft: Draft) -> None:
    """A column whose default is an empty text will have one, even if it has none today."""
    for name, profile in zip(draft.names, draft.profiles):
        choice = draft.choice(name)
        if profile.column.default in ("''", '""') and choice.type not in ("STRING", "BYTES"):
            if name not in draft.key:
                place = draft.names.index(name)
                draft.chosen[place] = replace(draft.chosen[place], choice=replace(choice, empty="null"))
