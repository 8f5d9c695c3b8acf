"""A shop that takes, ships and cancels orders all the time. It knows nothing of bqsync."""

import os
import random
import sqlite3
import time

PAUSE_SECONDS = float(os.environ.get("PAUSE_SECONDS", "0.5"))

db = sqlite3.connect(os.environ["DATABASE"], isolation_level=None, timeout=30)
db.execute("pragma journal_mode = wal")
db.execute("""create table if not exists orders(
  id integer primary key autoincrement, customer text not null, total_cents integer not null, status text not null,
  ordered_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))""")

while True:
    db.execute("insert into orders(customer, total_cents, status) values (?, ?, 'new')",
               (random.choice(("Ada", "Grace", "Edsger", "Barbara")), random.randrange(100, 100_000)))
    db.execute("update orders set status = 'shipped' where status = 'new' and id % 3 = 0")
    db.execute("delete from orders where status = 'new' and id % 7 = 0")
    print(db.execute("select count(*) from orders").fetchone()[0], "orders")
    time.sleep(PAUSE_SECONDS)
