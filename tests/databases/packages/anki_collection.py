"""python3 anki_collection.py FILE: Anki makes a collection, with learned cards and one note that is gone."""

import sys

from anki.collection import Collection

collection = Collection(sys.argv[1])
kind = collection.models.by_name("Basic")
for number in range(120):
    note = collection.new_note(kind)
    note["Front"], note["Back"] = f"Wörd {number}", f"<b>back</b> {number}"
    note.tags = ["leech", "Öl"] if number % 3 else []
    collection.add_note(note, 1)
for _ in range(15):
    card = collection.sched.getCard()
    if card is None:
        break
    collection.sched.answerCard(card, 3)
collection.remove_notes([note.id])
collection.close()
