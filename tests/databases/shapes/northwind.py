"""A trading company, after Northwind in its SQLite ports (jpwhite3/northwind-SQLite3, alicebob/sqlittle's fixture).

Names with spaces, views with spaces, a composite key, keys of text and of text with a slash, photographs as blobs, days
as texts `1996-07-04`, booleans as the texts '0' and '1', phone numbers and postal codes that look like numbers.
"""

from tests.databases.shape import Reading, hex_in_sqlite, text_in_sqlite

DDL = """
CREATE TABLE "Categories" ("CategoryID" INTEGER PRIMARY KEY AUTOINCREMENT, "CategoryName" TEXT, "Description" TEXT,
    "Picture" BLOB);
CREATE TABLE "Customers" ("CustomerID" TEXT, "CompanyName" TEXT, "ContactName" TEXT, "PostalCode" TEXT, "Phone" TEXT,
    "Fax" TEXT, PRIMARY KEY ("CustomerID"));
CREATE TABLE "Employees" ("EmployeeID" INTEGER PRIMARY KEY AUTOINCREMENT, "LastName" TEXT, "BirthDate" DATE,
    "HireDate" DATE, "HomePhone" TEXT, "Extension" TEXT, "Photo" BLOB, "Notes" TEXT, "ReportsTo" INTEGER,
    FOREIGN KEY ("ReportsTo") REFERENCES "Employees" ("EmployeeID"));
CREATE TABLE "EmployeeTerritories" ("EmployeeID" INTEGER NOT NULL, "TerritoryID" TEXT NOT NULL,
    PRIMARY KEY ("EmployeeID", "TerritoryID"));
CREATE TABLE "Orders" ("OrderID" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "CustomerID" TEXT, "EmployeeID" INTEGER,
    "OrderDate" DATETIME, "RequiredDate" DATETIME, "ShippedDate" DATETIME, "Freight" NUMERIC DEFAULT 0,
    "ShipName" TEXT);
CREATE TABLE "Order Details" ("OrderID" INTEGER NOT NULL, "ProductID" INTEGER NOT NULL,
    "UnitPrice" NUMERIC NOT NULL DEFAULT 0, "Quantity" INTEGER NOT NULL DEFAULT 1, "Discount" REAL NOT NULL DEFAULT 0,
    PRIMARY KEY ("OrderID", "ProductID"), CHECK ("Discount" >= (0) and "Discount" <= (1)));
CREATE TABLE "Products" ("ProductID" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, "ProductName" TEXT NOT NULL,
    "QuantityPerUnit" TEXT, "UnitPrice" NUMERIC DEFAULT 0, "UnitsInStock" INTEGER DEFAULT 0,
    "Discontinued" TEXT NOT NULL DEFAULT '0');
CREATE TABLE "Territories" ("TerritoryID" TEXT NOT NULL, "TerritoryDescription" TEXT NOT NULL,
    "RegionID" INTEGER NOT NULL, PRIMARY KEY ("TerritoryID"));
CREATE TABLE "CustomerDemographics" ("CustomerTypeID" TEXT NOT NULL PRIMARY KEY, "CustomerDesc" TEXT);
CREATE VIEW "Alphabetical list of products" AS SELECT * FROM "Products" WHERE "Discontinued" = '0' ORDER BY
    "ProductName";
CREATE VIEW [Order Subtotals] AS SELECT "OrderID",
    sum("UnitPrice" * "Quantity" * (1 - "Discount")) AS Subtotal FROM [Order Details] GROUP BY "OrderID";
"""

READINGS = (
    Reading("Orders.OrderDate", "DATE|TIMESTAMP|DATETIME", sql=text_in_sqlite("OrderDate")),
    Reading("Orders.ShippedDate", "DATE|TIMESTAMP|DATETIME", sql=text_in_sqlite("ShippedDate")),
    Reading("Employees.BirthDate", "DATE", sql=text_in_sqlite("BirthDate")),
    Reading("Orders.Freight", "NUMERIC", sql="cast(Freight as text)"),
    Reading("Order Details.Discount", "FLOAT64|NUMERIC"),
    Reading("Territories.TerritoryID", "STRING", sql="TerritoryID"),
    Reading("Customers.PostalCode", "STRING", sql="PostalCode"),
    Reading("Categories.Picture", "BYTES", sql=hex_in_sqlite("Picture")),
    Reading("Products.Discontinued", "BOOL|STRING"),
)
HIDDEN = ("Customers.Phone", "Customers.Fax", "Employees.HomePhone")
KEYS = {"Order Details": ["OrderID", "ProductID"], "EmployeeTerritories": ["EmployeeID", "TerritoryID"],
        "Customers": ["CustomerID"]}


def fill(db, make):
    pick = make.random.choice
    make.rows(db, "Categories", [(i, make.word(), make.text(4), b"\x15\x1c/\x00" + make.bytes(60))
        for i in range(1, 9)])
    ids = [make.id(5).upper() for _ in range(60)]
    number = lambda: f"0{make.random.randint(10, 99)}-00{make.random.randint(10_000, 99_999)}"
    make.rows(db, "Customers", [
        (name, make.text(2), " ".join(make.person()), pick(("12209", "05021", "WA1 1DP", "S-958 22")), number(),
         make.maybe(number())) for name in ids])
    make.rows(db, "Employees", [
        (i, make.person()[1], f"19{50 + i}-12-0{i}", f"20{10 + i}-05-01", f"(206) 555-98{10 + i}", str(5400 + i),
         b"\xff\xd8\xff" + make.bytes(80), make.text(20), make.maybe(2)) for i in range(1, 10)])
    make.rows(db, "Territories", [(f"{1500 + 83 * i:05}", make.word(), i % 4 + 1) for i in range(50)])
    make.rows(db, "EmployeeTerritories", [(i, f"{1500 + 83 * (9 * j + i) % 4150:05}") for i in range(1, 10)
        for j in range(5)])
    day = lambda step: make.moment(step).strftime("%Y-%m-%d")
    make.rows(db, "Orders", [
        (10_247 + i, pick(ids), make.random.randint(1, 9), day(i), day(i + 28), make.maybe(day(i + 9)),
         pick((32.38, 11.61, 65.83, 41.34, 0.12, 8, 58.17)), make.text(2)) for i in range(1, 151)])
    make.rows(db, "Order Details", [
        (10_247 + i, p, pick((14, 9.8, 34.8, 18.6)), make.random.randint(1, 60), pick((0.0, 0.05, 0.15, 0.25)))
        for i in range(1, 151) for p in make.random.sample(range(1, 78), 2)])
    make.rows(db, "Products", [
        (i, make.text(2), f"{i} boxes x {pick((10, 20))} bags", pick((18, 19, 21.35, 22)), make.random.randint(0, 120),
         pick("001"))
        for i in range(1, 78)])
