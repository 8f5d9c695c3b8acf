"""A shop of music, after Chinook (lerocha/chinook-database, ChinookDatabase/DataSources/Chinook_Sqlite.sql).

Names in brackets, NVARCHAR(n), every primary key as a constraint at the end. Times are texts `2021-01-01 00:00:00` in
DATETIME columns, without a zone; prices are REAL or INTEGER in NUMERIC(10,2).
"""

from tests.databases.shape import Reading, naive, text_in_sqlite

DDL = """
CREATE TABLE [Artist] ([ArtistId] INTEGER NOT NULL, [Name] NVARCHAR(120),
    CONSTRAINT [PK_Artist] PRIMARY KEY ([ArtistId]));
CREATE TABLE [Album] ([AlbumId] INTEGER NOT NULL, [Title] NVARCHAR(160) NOT NULL, [ArtistId] INTEGER NOT NULL,
    CONSTRAINT [PK_Album] PRIMARY KEY ([AlbumId]),
    FOREIGN KEY ([ArtistId]) REFERENCES [Artist] ([ArtistId]) ON DELETE NO ACTION ON UPDATE NO ACTION);
CREATE TABLE [Genre] ([GenreId] INTEGER NOT NULL, [Name] NVARCHAR(120), CONSTRAINT [PK_Genre] PRIMARY KEY ([GenreId]));
CREATE TABLE [Track] ([TrackId] INTEGER NOT NULL, [Name] NVARCHAR(200) NOT NULL, [AlbumId] INTEGER, [GenreId] INTEGER,
    [Composer] NVARCHAR(220), [Milliseconds] INTEGER NOT NULL, [Bytes] INTEGER, [UnitPrice] NUMERIC(10,2) NOT NULL,
    CONSTRAINT [PK_Track] PRIMARY KEY ([TrackId]),
    FOREIGN KEY ([AlbumId]) REFERENCES [Album] ([AlbumId]) ON DELETE NO ACTION ON UPDATE NO ACTION);
CREATE TABLE [Employee] ([EmployeeId] INTEGER NOT NULL, [LastName] NVARCHAR(20) NOT NULL,
    [FirstName] NVARCHAR(20) NOT NULL, [Title] NVARCHAR(30), [ReportsTo] INTEGER, [BirthDate] DATETIME,
    [HireDate] DATETIME, [Phone] NVARCHAR(24), [Email] NVARCHAR(60),
    CONSTRAINT [PK_Employee] PRIMARY KEY ([EmployeeId]));
CREATE TABLE [Customer] ([CustomerId] INTEGER NOT NULL, [FirstName] NVARCHAR(40) NOT NULL,
    [LastName] NVARCHAR(20) NOT NULL, [Company] NVARCHAR(80), [PostalCode] NVARCHAR(10), [Phone] NVARCHAR(24),
    [Email] NVARCHAR(60) NOT NULL, [SupportRepId] INTEGER, CONSTRAINT [PK_Customer] PRIMARY KEY ([CustomerId]),
    FOREIGN KEY ([SupportRepId]) REFERENCES [Employee] ([EmployeeId]) ON DELETE NO ACTION ON UPDATE NO ACTION);
CREATE TABLE [Invoice] ([InvoiceId] INTEGER NOT NULL, [CustomerId] INTEGER NOT NULL, [InvoiceDate] DATETIME NOT NULL,
    [BillingCountry] NVARCHAR(40), [Total] NUMERIC(10,2) NOT NULL, CONSTRAINT [PK_Invoice] PRIMARY KEY ([InvoiceId]));
CREATE TABLE [InvoiceLine] ([InvoiceLineId] INTEGER NOT NULL, [InvoiceId] INTEGER NOT NULL, [TrackId] INTEGER NOT NULL,
    [UnitPrice] NUMERIC(10,2) NOT NULL, [Quantity] INTEGER NOT NULL,
    CONSTRAINT [PK_InvoiceLine] PRIMARY KEY ([InvoiceLineId]));
CREATE TABLE [Playlist] ([PlaylistId] INTEGER NOT NULL, [Name] NVARCHAR(120),
    CONSTRAINT [PK_Playlist] PRIMARY KEY ([PlaylistId]));
CREATE TABLE [PlaylistTrack] ([PlaylistId] INTEGER NOT NULL, [TrackId] INTEGER NOT NULL,
    CONSTRAINT [PK_PlaylistTrack] PRIMARY KEY ([PlaylistId], [TrackId]));
CREATE INDEX [IFK_AlbumArtistId] ON [Album] ([ArtistId]);
CREATE INDEX [IFK_PlaylistTrackTrackId] ON [PlaylistTrack] ([TrackId]);
"""

READINGS = (
    Reading("Invoice.InvoiceDate", "TIMESTAMP|DATETIME|DATE", sql=text_in_sqlite("InvoiceDate")),
    Reading("Employee.HireDate", "TIMESTAMP|DATETIME|DATE", sql=text_in_sqlite("HireDate")),
    Reading("Invoice.Total", "NUMERIC", sql="cast(Total as text)"),
    Reading("Track.UnitPrice", "NUMERIC", sql="cast(UnitPrice as text)"),
    Reading("Customer.PostalCode", "STRING", sql="PostalCode"),
    Reading("Track.Milliseconds", "INT64", sql="Milliseconds"),
)
HIDDEN = ("Customer.Email", "Customer.Phone", "Employee.Email", "Employee.Phone")
KEYS = {"PlaylistTrack": ["PlaylistId", "TrackId"], "Track": ["TrackId"]}


def fill(db, make):
    make.rows(db, "Artist", [(i, "AC/DC" if i == 1 else make.text(2)) for i in range(1, 31)])
    make.rows(db, "Album", [(i, make.text(3), make.random.randint(1, 30)) for i in range(1, 61)])
    make.rows(db, "Genre", [(i, make.word()) for i in range(1, 11)])
    make.rows(db, "Track", [
        (i, make.text(3), make.random.randint(1, 60), make.random.randint(1, 10), make.maybe(", ".join(make.person())),
         make.random.randint(60_000, 600_000), make.random.randint(10**6, 10**7), make.random.choice((0.99, 1.99)))
        for i in range(1, 201)])
    digits = make.random.randint
    phone = lambda: f"+{digits(1, 99)} ({digits(10, 99)}) 3923-{digits(1000, 9999)}"
    make.rows(db, "Employee", [
        (i, last, first, make.text(2), make.maybe(1), f"19{60 + i}-02-18 00:00:00", f"200{i}-08-14 00:00:00", phone(),
         make.email(i)) for i in range(1, 9) for first, last in [make.person()]])
    make.rows(db, "Customer", [
        (i, *make.person(), make.maybe(make.text(2)), make.random.choice(("12227-000", "01310", "70174", "SW1A 1AA")),
         phone(),
         make.email(100 + i), make.random.randint(1, 8)) for i in range(1, 41)])
    make.rows(db, "Invoice", [
        (i, make.random.randint(1, 40), naive(make.moment(i), 0)[:10] + " 00:00:00", make.word(),
         make.random.choice((0.99, 1.98, 3.96, 5.94, 8.91, 13.86, 2))) for i in range(1, 101)])
    make.rows(db, "InvoiceLine", [
        (i, (i + 1) // 2, make.random.randint(1, 200), 0.99, make.random.randint(1, 3)) for i in range(1, 201)])
    make.rows(db, "Playlist", [(i, "90’s Music" if i == 5 else make.word()) for i in range(1, 9)])
    make.rows(db, "PlaylistTrack", [(i, t) for i in range(1, 9) for t in make.random.sample(range(1, 201), 20)])
