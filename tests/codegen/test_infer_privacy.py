"""Secrets and personal data: which names and which values infer knows, and which only look so."""

import unittest
import unittest.mock

from tests.codegen.inferring import InferTest

HASHED = {"type": "STRING", "transform": "sha256"}
HEX = "8f3a0c5e9b7d4e21a6c0f1d2e3b4a596"
SECRETS = """password passwd pwd pass passphrase passcode pin secret apikey token salt csrf encryption_key private_key
    ssh_key jwt otp totp cvv pwhash hashed_pw crypt creds auth authorization bearer cookie cookies pepper nonce userpass
    privkey pem pgp_key enc_key aes_key master_key masterkey psk wifi_psk wpa_key preshared_key connection_string dsn
    database_url db_uri backup_codes recovery_code recovery_codes recovery_phrase mnemonic seed_phrase wallet_seed
    security_answer secret_answer unlock_code security_code verificationCode magic_link reset_link reset_url idtoken
    code_verifier passwort kennwort contraseña senha session_token api_keys
    apitoken sessiontoken dbpass stripe_key openai_key tls_key ssl_key rsa_key jwk xprv pw auth_code""".split()
SESSIONS = """session_id sessionId sessionid sid sessid PHPSESSID jsessionid session user_session_id
    user_sessionid""".split()
PERSONAL = "cc_number cardnum card_number pan pan_number account_number routing_number aadhaar ssn phone".split()
HARMLESS = """hash content_hash code country_code area_code author session_name session_type session_count
    possession license_key public_url image_url website link short_link cookie_name cookie_policy author_id authored_by
    string display_string query_string database seed answer question recovery backup panel company accountant
    account_name account_type monkey keyword sort_key foreign_key password_policy sidebar residence pepperoni passage
    compass bypassed_by opinion spin""".split()
VALUES = ("$P$B12345678abcdefghijklmnopqrstuv", "$wp$2y$10$abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUVWXYZ01234",
          "$apr1$abcdefgh$ABCDEFGHIJKLMNOPQRSTUV", "{SSHA}0123456789abcdefghijABCDEFGHIJ==",
          "sha1$abcdef$0123456789abcdef0123456789abcdef01234567", "md50123456789abcdef0123456789abcdef",
          "*0123456789ABCDEF0123456789ABCDEF01234567",
          "SCRAM-SHA-256$4096:c2FsdHNhbHQ=$c3RvcmVkc3RvcmVk:c2VydmVyc2VydmVy",
          "https://hooks.slack.com/services/T00000000/B00000000/abcdefghijklmnop",
          "https://discord.com/api/webhooks/123456789012345678/abcdefghijklmnop",
          "npm_0123456789abcdefghijABCDEFGHIJ012345", "pypi-AgEIcHlwaS5vcmcabcdefgh",
          "hf_abcdefghijABCDEFGHIJabcdefghijABCD", "shpat_0123456789abcdef0123456789abcdef",
          "dop_v1_" + "0123456789abcdef" * 4, "GOCSPX-abcdefghijABCDEFGHIJ01234567", "ASIAABCDEFGHIJKLMNOP",
          "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1",
          "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcdE." + "abcdefghijklmnopqrstuvwxyz0",
          "AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2,
          "otpauth://totp/App:ada?secret=JBSWY3DPEHPK3PXP", "postgres://admin:hunter2pass@db/x",
          "redis://:hunter2pass@cache:6379/0", "Bearer abcdefghijklmnopqrstuvwxyz",
          "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none",
          "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=YWJjZGVmZ2g=;EndpointSuffix=core.windows.net",
          "Server=db;User Id=app;Password=hunter2@pass;", "host=db user=app password=hunter2pass",
          "jdbc:postgresql://db/x?user=app&password=hunter2pass")
PLAIN_VALUES = ("https://example.com/a?b=c", "https://example.com:8443/@ada", "Server=db;Database=x;", "a=1; b=2",
                "ssh://git@example.com/x.git", "12:30:15 12:45:15", "npm_config_registry_of_the_company",
                "Bearer of good news to all", "Password rules: at least eight", "$100$ and more than that",
                "{not json at all, nor a hash}", "Monday.abcdef.morning", "the password = what you like best",
                "https://discord.com/channels/1234567/89", "mdcdef0123456789abcdef0123456789ab", "a = b; c")


class NameTest(InferTest):
    def test_secrets_are_left_out_with_and_without_values(self):
        for name in SECRETS:
            for values in ([HEX], []):
                self.assertEqual(self.column("TEXT", values, name), "", name)

    def test_names_that_are_secret_in_some_tables(self):
        self.write("""create table sessions(sid text primary key, expired int, sess text);
                      create table otp_codes(id integer primary key, code text);
                      create table password_resets(id integer primary key, code text);
                      create table invites(id integer primary key, code text);
                      create table wallets(id integer primary key, seed text, balance text);
                      create table countries(id integer primary key, code text, seed text);""")

        found = {name: document["sync"].get("ignore") for name, document in self.infer().items()}

        self.assertEqual(found, {
            "sessions": ["sess"], "otp_codes": ["code"], "password_resets": ["code"], "invites": ["code"],
            "wallets": ["seed"], "countries": None})

    def test_the_end_of_a_name_says_what_the_column_is(self):
        self.write("""create table wallets(id integer primary key, main_seed text, seed_rank text);
                      create table sessions(raw_payload text, payload_size text);
                      create table t(type_password text, password_type text, bottoken text, tokenbot text,
                                     old_unlock_code text, unlock_code_page text, user_login_hash text,
                                     hash_of_login text, login_file_hash text, user_session_id text,
                                     session_user_id text, id_session text, card_no text, no_card text);""")

        found = self.infer()

        self.assertEqual([found[name]["sync"].get("ignore") for name in ("wallets", "sessions", "t")], [
            ["main_seed"], ["raw_payload"], ["type_password", "bottoken", "old_unlock_code", "user_login_hash"]])
        self.assertEqual([column["name"] for column in found["t"]["columns"] if "transform" in column],
                         ["user_session_id", "card_no"])

    def test_ids_of_sessions_are_hashed(self):
        for name in SESSIONS:
            for values in ([HEX], []):
                self.assertEqual(self.column("TEXT", values, name), HASHED, name)
                self.assertIn("%s: hashed, because its name speaks of a session" % name, self.report)

    def test_the_number_of_a_session_stays_a_number(self):
        for values in ([7], []):
            self.assertEqual(self.column("INTEGER", values, "session_id"), {"type": "INT64"})

    def test_the_id_of_a_session_that_is_the_key_is_hashed(self):
        self.write("create table sessions(session_id text primary key, user_id int, data text)",
                   [("insert into sessions values (?, 1, 'x')", [(HEX,)])])

        document = self.infer()["sessions"]

        self.assertEqual(document["columns"][0], {"name": "session_id", "type": "STRING", "mode": "REQUIRED",
                                                  "transform": "sha256"})
        self.assertEqual(document["sync"]["ignore"], ["data"])

    def test_personal_data_is_hashed(self):
        for name in PERSONAL:
            for values in ([HEX], []):
                self.assertEqual(self.column("TEXT", values, name), HASHED, name)

    def test_names_that_only_look_so(self):
        for name in HARMLESS:
            self.assertEqual(self.column("TEXT", ["abc"], name), {"type": "STRING"}, name)

    def test_numbers_without_a_value_are_known_by_their_name(self):
        for name in ("card_number", "phone", "ssn", "mobile"):
            self.assertEqual(self.column("INTEGER", [], name), HASHED, name)
            self.assertIn("%s: hashed, because its name speaks of" % name, self.report)
        for name in ("password", "pin", "passcode", "security_code", "otp_code"):
            for values in ([], [123456]):
                self.assertEqual(self.column("INTEGER", values, name), "", name)
                self.assertIn("%s: left out, because its name speaks of" % name, self.report)

    def test_numbers_that_count_or_answer(self):
        for name in ("is_mobile", "has_password", "has_phone", "password_attempts", "phone_count", "salt", "tokens",
                     "email", "pass", "pincode", "nonce", "email_frequency"):
            self.assertEqual(self.column("INTEGER", [], name), {"type": "INT64"}, name)
        self.assertEqual(self.column("INTEGER", [0, 1], "password"), {"type": "INT64"})


class ValueTest(InferTest):
    def test_one_value_of_a_known_form_is_enough(self):
        for value in VALUES:
            self.assertEqual(self.column("TEXT", ["x", value], "note"), "", value)
            self.assertIn("note: left out, because 1 of 2 values look like", self.report)

    def test_also_behind_many_texts_of_no_form(self):
        texts = ["word %d" % number for number in range(100)]
        with unittest.mock.patch("codegen.infer.reading._CHUNK_VALUES", 32):
            for value in VALUES:
                if value.startswith("md5"):
                    continue  # letters and digits only: not looked for there
                self.assertEqual(self.column("TEXT", texts + [value], "note"), "", value)

    def test_values_that_only_look_so(self):
        for value in PLAIN_VALUES:
            self.assertEqual(self.column("TEXT", ["x", value], "note"), {"type": "STRING"}, value)


if __name__ == "__main__":
    unittest.main()
