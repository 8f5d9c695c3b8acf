"""A shop that rents films, after the SQLite port of Sakila (jOOQ/sakila, sqlite-sakila-db).

Primary keys that are no row ids (`numeric`, SMALLINT), times as texts with three digits `2005-05-24 22:53:30.000` in
TIMESTAMP columns, flags as the texts 'Y' and 'N', DECIMAL(4,2), an unused BLOB column, and triggers of the application
that stamp each new or changed row.
"""

from tests.databases.shape import Reading, naive, text_in_sqlite

TABLES = ("actor", "film", "customer", "rental")
DDL = """
CREATE TABLE actor (actor_id numeric NOT NULL, first_name VARCHAR(45) NOT NULL, last_name VARCHAR(45) NOT NULL,
    last_update TIMESTAMP NOT NULL, PRIMARY KEY (actor_id));
CREATE TABLE film (film_id int NOT NULL, title VARCHAR(255) NOT NULL, description BLOB SUB_TYPE TEXT DEFAULT NULL,
    release_year VARCHAR(4) DEFAULT NULL, rental_duration SMALLINT DEFAULT 3 NOT NULL,
    rental_rate DECIMAL(4,2) DEFAULT 4.99 NOT NULL, length SMALLINT DEFAULT NULL,
    replacement_cost DECIMAL(5,2) NOT NULL, rating VARCHAR(10) DEFAULT 'G',
    special_features VARCHAR(100) DEFAULT NULL, last_update TIMESTAMP NOT NULL, PRIMARY KEY (film_id),
    CHECK (rating in ('G','PG','PG-13','R','NC-17')));
CREATE TABLE film_actor (actor_id INT NOT NULL, film_id INT NOT NULL, last_update TIMESTAMP NOT NULL,
    PRIMARY KEY (actor_id, film_id));
CREATE TABLE customer (customer_id INT NOT NULL, first_name VARCHAR(45) NOT NULL, email VARCHAR(50) DEFAULT NULL,
    active CHAR(1) DEFAULT 'Y' NOT NULL, create_date TIMESTAMP NOT NULL, last_update TIMESTAMP NOT NULL,
    PRIMARY KEY (customer_id));
CREATE TABLE staff (staff_id SMALLINT NOT NULL, first_name VARCHAR(45) NOT NULL, picture BLOB DEFAULT NULL,
    active SMALLINT DEFAULT 1 NOT NULL, username VARCHAR(16) NOT NULL, password VARCHAR(40) DEFAULT NULL,
    last_update TIMESTAMP NOT NULL, PRIMARY KEY (staff_id));
CREATE TABLE rental (rental_id INT NOT NULL, rental_date TIMESTAMP NOT NULL, inventory_id INT NOT NULL,
    customer_id INT NOT NULL, return_date TIMESTAMP DEFAULT NULL, last_update TIMESTAMP NOT NULL,
    PRIMARY KEY (rental_id));
CREATE TABLE payment (payment_id int NOT NULL, customer_id INT NOT NULL, rental_id INT DEFAULT NULL,
    amount DECIMAL(5,2) NOT NULL, payment_date TIMESTAMP NOT NULL, PRIMARY KEY (payment_id));
CREATE UNIQUE INDEX idx_rental_uq ON rental (rental_date, inventory_id, customer_id);
CREATE VIEW sales AS SELECT customer_id, sum(amount) AS total FROM payment GROUP BY customer_id;
""" + "".join(
    f"""CREATE TRIGGER {table}_trigger_a{event[0].lower()} AFTER {event} ON {table} BEGIN
    UPDATE {table} SET last_update = '2024-01-01 00:00:00.000' WHERE rowid = new.rowid AND last_update IS NULL; END;
""" for table in TABLES for event in ("INSERT", "UPDATE"))

READINGS = (
    Reading("rental.rental_date", "TIMESTAMP|DATETIME", sql=text_in_sqlite("rental_date")),
    Reading("rental.return_date", "TIMESTAMP|DATETIME", sql=text_in_sqlite("return_date")),
    Reading("payment.amount", "NUMERIC", sql="cast(amount as text)"),
    Reading("film.rental_rate", "NUMERIC", sql="cast(rental_rate as text)"),
    Reading("actor.actor_id", "INT64|NUMERIC"),
    Reading("customer.active", "BOOL|STRING"),
    Reading("film.description", "STRING|JSON", sql="description"),
)
HIDDEN = ("customer.email", "staff.password")
KEYS = {"film_actor": ["actor_id", "film_id"], "actor": ["actor_id"], "rental": ["rental_id"]}


def fill(db, make):
    pick = make.random.choice
    at = lambda step: naive(make.moment(step, 1_000_000), 3)
    make.rows(db, "actor", [(i, *(name.upper() for name in make.person()), at(0)) for i in range(1, 61)])
    make.rows(db, "film", [
        (i, make.text(2).upper(), make.text(8), "2006", pick((3, 5, 7)), pick((0.99, 2.99, 4.99)),
         make.random.randint(46, 185),
         pick((20.99, 9.99, 22)), pick(("G", "PG", "PG-13", "R", "NC-17")),
             pick(("Trailers", "Trailers,Deleted Scenes")), at(0))
        for i in range(1, 101)])
    make.rows(db, "film_actor", [(a, f, at(0)) for a in range(1, 61) for f in make.random.sample(range(1, 101), 4)])
    make.rows(db, "customer", [
        (i, make.person()[0], make.email(i), pick("YYYYN"), at(i), at(i + 1)) for i in range(1, 81)])
    make.rows(db, "staff", [(i, make.person()[0], make.maybe(make.bytes(50), odds=0.5), 1, make.word(), make.hex(20),
        at(0))
                            for i in (1, 2)])
    make.rows(db, "rental", [
        (i, at(i), i, make.random.randint(1, 80), make.maybe(at(i + 50)), at(i + 51)) for i in range(1, 201)])
    make.rows(db, "payment", [
        (i, make.random.randint(1, 80), make.maybe(i), pick((0.99, 2.99, 5, 10.99)), at(i)) for i in range(1, 201)])
