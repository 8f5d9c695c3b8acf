"""A web application, after Sequelize (sequelize/sequelize, dialects/sqlite/data-types.js).

Times are texts with three digits and a blank before the zone, `2024-03-01 08:15:30.123 +00:00`, in DATETIME; what raw
SQL writes has none; booleans are 0 and 1 in TINYINT(1); UUIDs are texts in UUID; JSON is a text in JSON; epochs of
callbacks are texts of digits.
"""

import json

from tests.databases.shape import Reading, naive, seconds_in_sqlite, unix_us

ID = "`id` INTEGER PRIMARY KEY AUTOINCREMENT"
DDL = f"""
CREATE TABLE `SequelizeMeta` (`name` VARCHAR(255) NOT NULL UNIQUE PRIMARY KEY);
CREATE TABLE `Users` ({ID}, `uuid` UUID, `email` VARCHAR(255) UNIQUE, `admin` TINYINT(1) DEFAULT 0,
    `lastSeen` VARCHAR(255), `createdAt` DATETIME NOT NULL, `updatedAt` DATETIME NOT NULL, `deletedAt` DATETIME);
CREATE TABLE `Orders` ({ID}, `UserId` INTEGER REFERENCES `Users` (`id`) ON DELETE SET NULL ON UPDATE CASCADE,
    `amount` DECIMAL(10,2), `ratio` DOUBLE PRECISION, `details` JSON, `due` DATE, `opens` TIME,
    `status` TEXT DEFAULT 'new', `createdAt` DATETIME NOT NULL);
CREATE TABLE `UserRoles` (`UserId` INTEGER NOT NULL, `RoleId` INTEGER NOT NULL, `createdAt` DATETIME NOT NULL,
    PRIMARY KEY (`UserId`, `RoleId`));
"""
BLANK = "strftime('%Y-%m-%d %H:%M:%f', replace({0}, ' +', '+'))"

READINGS = (
    Reading("Users.createdAt", "TIMESTAMP", sql=BLANK.format('"createdAt"')),
    Reading("Users.deletedAt", "TIMESTAMP", sql=BLANK.format('"deletedAt"')),
    Reading("Orders.createdAt", "TIMESTAMP", sql=BLANK.format('"createdAt"')),
    Reading("Users.lastSeen", "TIMESTAMP", {"format": "unix_ms"}, seconds_in_sqlite('"lastSeen" / 1000.0')),
    Reading("Users.admin", "BOOL", sql="admin"),
    Reading("Users.uuid", "STRING", sql="uuid"),
    Reading("Orders.amount", "NUMERIC", sql="cast(amount as text)"),
    Reading("Orders.details", "JSON", sql="details"),
    Reading("Orders.due", "DATE", sql="strftime('%Y-%m-%d %H:%M:%f', due)"),
    Reading("Orders.opens", "TIME", sql="strftime('%H:%M:%f', opens)"),
)
HIDDEN = ("Users.email",)
KEYS = {"UserRoles": ["UserId", "RoleId"], "SequelizeMeta": ["name"]}


def fill(db, make):
    at = lambda step: naive(make.moment(step), 3) + " +00:00" if step % 12 else naive(make.moment(step), 0)
    make.rows(db, "SequelizeMeta", [(f"2024030108{i:04}-step.js",) for i in range(9)])
    make.rows(db, "Users", [
        (i, str(make.uuid()), make.email(i), i % 2, make.maybe(str(unix_us(make.moment(i)) // 1000)), at(i), at(i + 1),
         make.maybe(at(i + 2), odds=0.7)) for i in range(1, 61)])
    make.rows(db, "Orders", [
        (i, make.maybe(i % 60 + 1), make.random.choice((9.99, 120, 0.5)), make.random.random(),
         make.maybe(json.dumps({"items": [i, {"sku": make.word()}]})), make.maybe(at(i)[:10]),
             make.maybe(f"{i % 24:02}:30:00"),
         make.word(), at(i)) for i in range(1, 151)])
    make.rows(db, "UserRoles", [(u, r, at(u)) for u in range(1, 61) for r in make.random.sample(range(1, 5), 2)])
