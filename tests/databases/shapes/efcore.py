"""A web application, after EF Core (Microsoft documentation, "Data types" of Microsoft.Data.Sqlite; Identity).

DateTime is a text of up to seven digits, `yyyy-MM-dd HH:mm:ss.FFFFFFF`, which drops zeros at the end; DateTimeOffset
has its zone behind; DateOnly, TimeOnly (seven digits), TimeSpan (`d.hh:mm:ss`) and decimal (`12.5`, `10.0`) are texts;
Guid is an upper-case text, or with older versions a blob whose first groups are little-endian; bool is 0 or 1.
"""

from tests.databases.shape import Reading, text_in_sqlite

DDL = """
CREATE TABLE "__EFMigrationsHistory" ("MigrationId" TEXT NOT NULL CONSTRAINT "PK___EFMigrationsHistory" PRIMARY KEY,
    "ProductVersion" TEXT NOT NULL);
CREATE TABLE "AspNetUsers" ("Id" TEXT NOT NULL CONSTRAINT "PK_AspNetUsers" PRIMARY KEY, "UserName" TEXT NULL,
    "Email" TEXT NULL, "EmailConfirmed" INTEGER NOT NULL, "PasswordHash" TEXT NULL, "SecurityStamp" TEXT NULL,
    "PhoneNumber" TEXT NULL, "LockoutEnd" TEXT NULL, "LockoutEnabled" INTEGER NOT NULL,
    "AccessFailedCount" INTEGER NOT NULL);
CREATE TABLE "Orders" ("OrderId" INTEGER NOT NULL CONSTRAINT "PK_Orders" PRIMARY KEY AUTOINCREMENT,
    "Guid" TEXT NOT NULL, "CreatedAt" TEXT NOT NULL, "PaidAt" TEXT NULL, "ShippedAt" TEXT NULL, "Due" TEXT NULL,
    "OpensAt" TEXT NULL, "Took" TEXT NULL, "Total" TEXT NOT NULL, "Weight" REAL NOT NULL, "IsGift" INTEGER NOT NULL,
    "RowVersion" BLOB NULL, "Status" INTEGER NOT NULL);
CREATE TABLE "Devices" ("Id" BLOB NOT NULL CONSTRAINT "PK_Devices" PRIMARY KEY, "OwnerId" BLOB NULL,
    "Name" TEXT NOT NULL);
CREATE TABLE "OrderTag" ("OrdersOrderId" INTEGER NOT NULL, "TagsId" INTEGER NOT NULL,
    CONSTRAINT "PK_OrderTag" PRIMARY KEY ("OrdersOrderId", "TagsId"));
CREATE UNIQUE INDEX "UserNameIndex" ON "AspNetUsers" ("UserName");
"""

READINGS = (
    Reading("Orders.CreatedAt", "TIMESTAMP", {"fraction": "truncate"}, text_in_sqlite("CreatedAt")),
    Reading("Orders.PaidAt", "TIMESTAMP", {"fraction": "truncate"}, text_in_sqlite("PaidAt")),
    Reading("AspNetUsers.LockoutEnd", "TIMESTAMP", {"fraction": "truncate"}, text_in_sqlite("LockoutEnd")),
    Reading("Orders.Due", "DATE", sql=text_in_sqlite("Due")),
    Reading("Orders.OpensAt", "TIME", {"fraction": "truncate"}, "strftime('%H:%M:%f', OpensAt)"),
    Reading("Orders.Took", "STRING", sql="Took"),
    Reading("Orders.Total", "NUMERIC|STRING"),
    Reading("Orders.Guid", "STRING", sql='"Guid"'),
    Reading("Orders.IsGift", "BOOL|INT64"),
)
HIDDEN = ("AspNetUsers.PasswordHash", "AspNetUsers.SecurityStamp", "AspNetUsers.Email", "AspNetUsers.PhoneNumber")
KEYS = {"OrderTag": ["OrdersOrderId", "TagsId"], "Devices": ["Id"], "AspNetUsers": ["Id"]}


def ticks(moment, tenth):
    """A DateTime's text: seven digits, without the zeros at the end."""
    digits = f"{moment.microsecond:06d}{tenth}".rstrip("0")
    return moment.strftime("%Y-%m-%d %H:%M:%S") + ("." + digits if digits else "")


def fill(db, make):
    at = lambda step: ticks(make.moment(step, 1_000_000 if step % 11 == 0 else 1), step % 10)
    make.rows(db, "__EFMigrationsHistory", [(f"2024030108{i:04}_{make.word().title()}", "8.0.4") for i in range(6)])
    make.rows(db, "AspNetUsers", [
        (str(make.uuid()), f"user{i}", make.email(i), i % 2, f"AQAAAAIAAYagAAAAE{make.id(60)}==", make.id(32).upper(),
         make.maybe(f"+49 151 {make.random.randint(1_000_000, 9_999_999)}"), make.maybe(at(i) + "+00:00", odds=0.5), 1,
             i % 3)
        for i in range(50)])
    make.rows(db, "Orders", [
        (i, str(make.uuid()).upper(), at(i), make.maybe(at(i + 1) + make.random.choice(("+02:00", "-05:30",
         "+00:00"))), None,
         make.maybe(at(i)[:10]), make.maybe(f"{i % 24:02}:{i % 60:02}:30.{i:07}"),
             make.maybe(f"{i % 3}.0{i % 10}:15:00"),
         make.random.choice(("12.5", "10.0", "0.005", "-3.99", "79228162514264.25")), make.random.random(), i % 2,
         i.to_bytes(8, "big"), i % 4) for i in range(1, 181)])
    devices = [make.uuid().bytes_le for _ in range(40)]
    make.rows(db, "Devices", [(id, make.maybe(make.random.choice(devices)), make.word()) for id in devices])
    make.rows(db, "OrderTag", [(i, t) for i in range(1, 181) for t in make.random.sample(range(1, 7), 1)])
