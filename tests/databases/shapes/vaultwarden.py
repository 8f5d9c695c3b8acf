"""A password server, after Vaultwarden (dani-garcia/vaultwarden, migrations/sqlite; diesel, date_and_time).

Times are texts in DATETIME, without a zone, with as many digits as chrono prints: none, three, six or nine. Ids are
UUIDs as texts; hashes and salts are blobs; what users store is encrypted text; tables between others have a unique
constraint instead of a key, or a key of two columns.
"""

from tests.databases.shape import Reading, naive

DDL = """
CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL,
    run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE users (uuid TEXT NOT NULL PRIMARY KEY, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL,
    email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, password_hash BLOB NOT NULL, salt BLOB NOT NULL,
    password_iterations INTEGER NOT NULL, password_hint TEXT, akey TEXT NOT NULL, private_key TEXT, totp_secret TEXT, security_stamp TEXT NOT NULL,
    equivalent_domains TEXT NOT NULL,
    client_kdf_type INTEGER NOT NULL DEFAULT 0, -- PBKDF2
    verified_at DATETIME DEFAULT NULL, enabled BOOLEAN NOT NULL DEFAULT 1, api_key TEXT);
CREATE TABLE devices (uuid TEXT NOT NULL, created_at DATETIME NOT NULL, user_uuid TEXT NOT NULL, name TEXT NOT NULL,
    atype INTEGER NOT NULL, push_token TEXT, refresh_token TEXT NOT NULL, PRIMARY KEY(uuid, user_uuid),
    FOREIGN KEY(user_uuid) REFERENCES users(uuid));
CREATE TABLE ciphers (
  uuid              TEXT     NOT NULL PRIMARY KEY,
  created_at        DATETIME NOT NULL,
  updated_at        DATETIME NOT NULL,
  user_uuid         TEXT     REFERENCES users(uuid), -- Empty where an organization owns it
  atype             INTEGER  NOT NULL, /* login, note, card, identity */
  name              TEXT     NOT NULL,
  data              TEXT     NOT NULL,
  deleted_at        DATETIME
);
CREATE TABLE users_organizations (uuid TEXT NOT NULL PRIMARY KEY, user_uuid TEXT NOT NULL REFERENCES users (uuid),
    org_uuid TEXT NOT NULL, access_all BOOLEAN NOT NULL, akey TEXT NOT NULL, status INTEGER NOT NULL,
    UNIQUE (user_uuid, org_uuid));
CREATE TABLE groups_users (groups_uuid TEXT NOT NULL, users_organizations_uuid TEXT NOT NULL, UNIQUE (groups_uuid,
    users_organizations_uuid));
CREATE TABLE invitations (email TEXT NOT NULL PRIMARY KEY);
CREATE TABLE twofactor (uuid TEXT NOT NULL PRIMARY KEY, user_uuid TEXT NOT NULL, atype INTEGER NOT NULL,
    enabled BOOLEAN NOT NULL, data TEXT NOT NULL, last_used INTEGER NOT NULL DEFAULT 0, UNIQUE (user_uuid, atype));
CREATE TABLE event (uuid TEXT NOT NULL PRIMARY KEY, event_type INTEGER NOT NULL, user_uuid TEXT, ip_address TEXT,
    event_date DATETIME NOT NULL);
"""

READINGS = (
    Reading("users.created_at", "TIMESTAMP", {"fraction": "truncate"},
        "strftime('%Y-%m-%d %H:%M:%f', substr(created_at, 1, 26))"),
    Reading("ciphers.updated_at", "TIMESTAMP", {"fraction": "truncate"},
        "strftime('%Y-%m-%d %H:%M:%f', substr(updated_at, 1, 26))"),
    Reading("ciphers.deleted_at", "TIMESTAMP", {"fraction": "truncate"},
        "strftime('%Y-%m-%d %H:%M:%f', substr(deleted_at, 1, 26))"),
    Reading("__diesel_schema_migrations.version", "STRING", sql="version"),
    Reading("users.enabled", "BOOL", sql="enabled"),
    Reading("users.equivalent_domains", "JSON", sql="equivalent_domains"),
    Reading("event.user_uuid", "STRING", sql="user_uuid"),
)
HIDDEN = ("users.password_hash", "users.salt", "users.email", "users.private_key", "users.totp_secret", "users.api_key",
          "devices.refresh_token", "devices.push_token", "invitations.email")
KEYS = {"devices": ["uuid", "user_uuid"], "groups_users": ["groups_uuid", "users_organizations_uuid"],
    "ciphers": ["uuid"]}


def chrono(moment, step):
    """chrono's `%F %T%.f`: nothing behind the second, or three, six or nine digits."""
    if step % 10 == 0:
        return naive(moment, 0)
    return naive(moment, 6) + ("" if step % 10 < 3 else f"{step % 1000:03d}")


def fill(db, make):
    at = lambda step: chrono(make.moment(step), step)
    cipher = lambda: f"2.{make.id(22)}==|{make.id(42)}==|{make.id(42)}="
    make.rows(db, "__diesel_schema_migrations", [(f"201801141{i:05}", naive(make.moment(0), 0)) for i in range(30)])
    users = [str(make.uuid()) for _ in range(30)]
    make.rows(db, "users", [
        (id, at(i), at(i + 1), make.email(i), make.person()[0], make.bytes(32), make.bytes(64), 600_000,
         make.maybe(make.word()), cipher(),
         cipher(), make.maybe(make.id(32).upper(), odds=0.8), str(make.uuid()), "[]", 0, make.maybe(at(i)), 1,
             make.maybe(make.id(30)))
        for i, id in enumerate(users)])
    make.rows(db, "devices", [
        (str(make.uuid()), at(i), make.random.choice(users), "firefox", 10, make.maybe(str(make.uuid())),
         make.id(86) + "==") for i in range(40)])
    make.rows(db, "ciphers", [
        (str(make.uuid()), at(i), at(i + 1), make.maybe(make.random.choice(users)), 1, cipher(),
         '{"username":"' + cipher() + '","uris":null}',
         make.maybe(at(i + 2), odds=0.7)) for i in range(150)])
    members = [str(make.uuid()) for _ in users]
    make.rows(db, "users_organizations", [(id, user, str(make.uuid()), 0, cipher(), 2)
        for id, user in zip(members, users)])
    groups = [str(make.uuid()) for _ in range(4)]
    make.rows(db, "groups_users", [(group, member) for group in groups for member in make.random.sample(members, 10)])
    make.rows(db, "invitations", [(make.email(500 + i),) for i in range(10)])
    make.rows(db, "twofactor", [(str(make.uuid()), user, 0, 1, make.id(32).upper(), 57_000_000 + i)
        for i, user in enumerate(users[:8])])
    make.rows(db, "event", [(str(make.uuid()), 1000 + i % 8, make.maybe(make.random.choice(users)),
        f"10.0.0.{i % 250}", at(i)) for i in range(120)])
