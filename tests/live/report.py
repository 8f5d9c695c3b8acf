"""Asks every question and writes the answers down, so that a person can paste them into an issue."""

import traceback

from tests.live.questions import QUESTIONS

VERDICTS = {True: "as assumed", False: "**NOT AS ASSUMED**", None: ""}


def cell(text):
    return " ".join(text.split()).replace("|", "\\|")


def ask(place, title, question):
    """(rows of the table, whether anything is not as assumed) of one question; a question that fails is an answer."""
    findings = []
    try:
        for finding in question(place):
            findings.append(finding)
    except Exception as error:  # the other questions are asked all the same
        where = traceback.extract_tb(error.__traceback__)[-1]
        findings.append((f"{title}: could not be asked to its end", f"{type(error).__name__} in {where.name}: {error}", False))
    finally:
        place.cleanup()
    rows = [f"| {cell(asked)} | {cell(place.anonymous(answer))} | {VERDICTS[holds]} |" for asked, answer, holds in findings]
    return rows, [asked for asked, _, holds in findings if holds is False]


def write(place, version, where):
    """(the report in Markdown, what is not as assumed). The place is clean afterwards."""
    lines = [f"# bqsync {version} asked {where}", ""]
    wrong = []
    for number, (title, question) in enumerate(QUESTIONS, 1):
        rows, not_as_assumed = ask(place, title, question)
        lines += [f"## {number}. {title}", "", "| asked | answer | |", "| --- | --- | --- |", *rows, ""]
        wrong += not_as_assumed
    lines += [f"Not as assumed: {len(wrong)}.", *(f"- {cell(asked)}" for asked in wrong)]
    return "\n".join(lines), wrong
