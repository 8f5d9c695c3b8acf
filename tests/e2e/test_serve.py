"""The daemon: schedule, signals, locks, metrics and reports."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
import unittest

from tests.e2e.serving import AT_START, INCREMENTAL, MANUAL, STATUS, Collector, Service, half_a_day_from_now
from tests.support.bqlocal import Bqlocal
from tests.support.deployment import Deployment
from tests.support.foreign import tool

HEALTHY = pathlib.Path(__file__).resolve().parent.parent.parent / "runtime/deploy/healthy"


class ServeTest(unittest.TestCase):
    def setUp(self):
        self.bq = self.enterContext(Bqlocal(datasets=["d"]))
        self.app = self.enterContext(Deployment(self.bq))
        self.app.execute("insert into accounts values (1, 'a@x', 1, null)")

    def serve(self, **options):
        return self.enterContext(Service(self.app, **options))

    # Schedule

    def test_it_starts_with_a_pass_and_goes_on_by_the_interval(self):
        service = self.serve(BQ_SYNC_INTERVAL="1s")
        service.wait_idle(1)
        self.app.execute("insert into accounts values (2, 'b@x', 2, null)")
        service.wait(lambda: self.app.warehouse_rows("accounts") == self.app.source_rows("accounts"),
                     "the new row in BigQuery")
        self.assertEqual("incremental", service.status()["last_run"]["kind"])

    def test_a_dropped_table_and_a_deleted_tracking_row_are_restored_by_themselves(self):
        service = self.serve(BQ_SYNC_INTERVAL="1s")
        service.wait_idle(1)
        self.app.execute("delete from bq_sync_tracking where table_name = 'accounts'")
        service.wait(lambda: service.table("accounts")["last_synced_at"], "a new sync of accounts")
        self.assertEqual(self.app.source_rows("accounts"), self.app.warehouse_rows("accounts"))
        self.bq.query("drop table d.accounts")
        service.wait(lambda: "accounts" in self.bq.tables("d")
                     and self.app.warehouse_rows("accounts") == self.app.source_rows("accounts"),
                     "the table again")

    def test_a_full_sync_missed_while_down_is_caught_up_once(self):
        with Service(self.app, BQ_SYNC_DAILY_AT="off") as service:
            service.wait_run(service.post(MANUAL).json["run_id"])
        # As if that had been days ago.
        self.app.execute("update bq_sync_runs set document = replace(document,"
                         " substr(json_extract(document, '$.started_at'), 1, 10), '2020-01-01')")
        with Service(self.app, BQ_SYNC_INTERVAL=AT_START, BQ_SYNC_DAILY_AT=half_a_day_from_now()) as service:
            runs = service.wait_idle(3)
            self.assertEqual(["full", "incremental", "full"], [run["kind"] for run in runs])

    # Signals

    def test_sigterm_and_sigint_end_it_in_order_and_soon(self):
        for stop in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=stop), Service(self.app) as service:
                self.assertEqual(0, service.stop(stop))
                service.wait_line("info stopped")

    def test_sigterm_ends_a_running_pass_long_before_its_job(self):
        with Bqlocal(datasets=["d"], latency="600s") as self.app.bq, Service(self.app) as service:
            service.post(MANUAL)
            service.wait(lambda: any(
                table["phase"] == "running"
                for table in (service.status()["running"] or {"tables": []})["tables"]), "a job")
            self.assertEqual(0, service.stop())

    def test_sigusr1_syncs_now(self):
        service = self.serve()
        service.process.send_signal(signal.SIGUSR1)
        self.assertEqual("incremental", service.wait_idle(1)[0]["kind"])
        self.assertEqual(self.app.source_rows("accounts"), self.app.warehouse_rows("accounts"))

    def test_sighup_reads_the_settings_again(self):
        env_file = self.app.folder / ".env"
        env_file.write_text("BQ_SYNC_INTERVAL=2h\nBQ_SYNC_DAILY_AT=07:30\nBQ_ADMIN_LISTEN=127.0.0.1:0\n"
                            "BQ_LOG_LEVEL=info\n")
        service = self.serve(BQ_SYNC_INTERVAL="", BQ_SYNC_DAILY_AT="", BQ_ADMIN_LISTEN="",
                             BQ_LOG_LEVEL="")
        service.wait_idle(1)
        env_file.write_text("BQ_SYNC_INTERVAL=3h\nBQ_SYNC_DAILY_AT=08:15\n"
                            "BQ_SYNC_TIMEZONE=Europe/Berlin\nBQ_ADMIN_LISTEN=127.0.0.1:0\n"
                            "BQ_ADMIN_TOKEN=fresh-token-7d1c\nBQ_PARALLEL=2\nBQ_LOG_LEVEL=info\n")
        service.process.send_signal(signal.SIGHUP)
        service.wait_line("settings reloaded")
        self.assertEqual(401, service.get("/metrics").status)
        service.token = "fresh-token-7d1c"
        self.assertEqual(["every 3h", "08:15 Europe/Berlin"],
                         [job["schedule"] for job in service.status()["jobs"]])
        self.assertIn("setting needs a restart variable=BQ_PARALLEL", service.log)

        env_file.write_text("BQ_SYNC_INTERVAL=soon\n")
        service.process.send_signal(signal.SIGHUP)
        self.assertIn("BQ_SYNC_INTERVAL", service.wait_line("settings not reloaded"))
        self.assertEqual("every 3h", service.status()["jobs"][0]["schedule"])

    def test_settings_stay_at_sighup_if_the_file_that_was_read_at_start_is_gone(self):
        env_file = self.app.folder / ".env"
        env_file.write_text("BQ_ADMIN_TOKEN=token-of-the-file\n")
        service = self.serve()
        self.assertEqual(401, service.get("/metrics").status)
        env_file.unlink()
        service.process.send_signal(signal.SIGHUP)
        self.assertIn(".env", service.wait_line("settings not reloaded"))
        self.assertEqual(401, service.get("/metrics").status)

    def test_a_file_that_sighup_has_found_has_to_stay_like_one_that_was_read_at_start(self):
        env_file = self.app.folder / ".env"
        service = self.serve()
        service.process.send_signal(signal.SIGHUP)
        service.wait_line("settings reloaded")
        env_file.write_text("BQ_ADMIN_TOKEN=token-of-the-file\n")
        service.process.send_signal(signal.SIGHUP)
        service.wait(lambda: service.get("/metrics").status == 401, "the token")
        env_file.unlink()
        service.process.send_signal(signal.SIGHUP)
        service.wait_line("settings not reloaded")
        self.assertEqual(401, service.get("/metrics").status)

    # A pipe in the place of .env, as programs mount it that keep secrets

    def test_a_pipe_without_a_writer_stops_neither_passes_nor_the_service(self):
        env_file = self.app.folder / ".env"
        env_file.write_text("BQ_ADMIN_TOKEN=token-of-the-file\n")
        service = self.serve()
        env_file.unlink()
        os.mkfifo(env_file)
        service.process.send_signal(signal.SIGHUP)
        line = service.wait_line("settings not reloaded", timeout=10)
        self.assertIn(".env: is a named pipe, and nobody wrote into it", line)
        self.assertEqual(401, service.get("/metrics").status)
        service.token = "token-of-the-file"
        self.assertEqual("done", service.sync(INCREMENTAL)["state"])

        service.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        start = time.monotonic()
        self.assertEqual(0, service.stop())
        self.assertLess(time.monotonic() - start, 4)

    def test_a_pipe_is_read_once_at_the_start_and_at_each_sighup(self):
        env_file = self.app.folder / ".env"
        os.mkfifo(env_file)
        written = []

        def write(token):
            env_file.write_text(f"BQ_ADMIN_TOKEN={token}\nHTTP_PROXY=\n")
            written.append(token)

        writer = threading.Thread(target=write, args=("first-token-3f",))
        writer.start()
        service = self.serve()
        writer.join()
        self.assertEqual(401, service.get("/metrics").status)
        writer = threading.Thread(target=write, args=("second-token-9a",))
        writer.start()
        service.process.send_signal(signal.SIGHUP)
        service.wait_line("settings reloaded")
        writer.join()
        service.token = "second-token-9a"
        self.assertEqual(200, service.get("/metrics").status)
        self.assertEqual(["first-token-3f", "second-token-9a"], written)

    def test_a_start_with_a_pipe_without_a_writer_says_so(self):
        os.mkfifo(self.app.folder / "pipe.env")
        for command in ("serve", "sync", "status"):
            status, _, err = self.app.run(command, "--env-file", "pipe.env")
            self.assertEqual(3, status, err)
            self.assertIn("pipe.env: is a named pipe, and nobody wrote into it and closed it within 5 s", err)

    # Others on the same state

    def test_a_scheduled_pass_waits_politely_while_another_process_holds_the_lock(self):
        with Bqlocal(datasets=["d"], latency="3s") as self.app.bq:
            command = self.app.start("sync", "--json")
            lock = pathlib.Path(str(self.app.path) + ".bqsync-lock")
            service = self.serve(BQ_SYNC_INTERVAL=AT_START)
            service.wait(lambda: lock.exists(), "the lock")
            out, err = command.communicate(timeout=60)
            self.assertIn(command.returncode, (0, 7), err)
            if command.returncode == 0:
                service.wait_line("pass postponed")
            self.assertTrue(service.wait_idle(1)[0]["ok"])

    def test_a_command_meanwhile_is_told_who_holds_the_lock(self):
        with Bqlocal(datasets=["d"], latency="2s") as self.app.bq, Service(self.app) as service:
            run_id = service.post(MANUAL).json["run_id"]
            service.wait(lambda: (service.status()["running"] or {}).get("tables"), "the pass")
            status, _, err = self.app.run("sync")
            self.assertEqual(7, status)
            self.assertIn("bqsync serve", err)
            self.assertEqual(run_id, self.app.json("status")["running"]["run_id"])
            self.assertIn("running now  full since", self.app.run("status")[1])
            service.wait_run(run_id)
            self.assertIsNone(self.app.json("status")["running"])
            self.assertEqual(0, self.app.run("sync")[0])

    def test_the_status_tells_of_a_pass_of_another_process(self):
        with Bqlocal(datasets=["d"], latency="3s") as self.app.bq, Service(self.app, BQ_SYNC_INTERVAL=AT_START) as service:
            service.wait_idle(1)
            self.app.execute("update accounts set note = 'n'")
            command = self.app.start("sync", "--json")
            running = service.wait(lambda: service.status()["running"], "the other pass")
            out, _ = command.communicate(timeout=60)
            self.assertEqual(json.loads(out)["run_id"], running["run_id"])
            self.assertIn(f"pid {command.pid} ", running["holder"])
            self.assertIsNone(service.status()["running"])

    def test_reports_work_without_lock_and_control_tables(self):
        status = self.app.json("status")
        self.assertIsNone(status["last_run"])
        self.assertEqual(1, self.app.table(status, "accounts")["pending_changes"])
        self.assertFalse(self.app.execute("select 1 from sqlite_master where name like 'bq_sync%'"))

    # Start

    def test_an_address_beyond_this_machine_needs_a_token(self):
        status, _, err = self.app.run("serve", BQ_ADMIN_LISTEN="0.0.0.0:0")
        self.assertEqual(3, status)
        self.assertIn("BQ_ADMIN_TOKEN", err)
        with Service(self.app, BQ_ADMIN_LISTEN="0.0.0.0:0", token="a-token-for-all-addresses") as service:
            self.assertEqual(200, service.get("/healthz", headers={"Host": "any.example"}).status)

    def test_the_health_check_of_the_container_understands_each_address(self):
        token = "a-token-for-all-addresses"
        for served, asked in ((":0", ":{}"), ("0.0.0.0:0", "0.0.0.0:{}"), ("127.0.0.1:0", "127.0.0.1:{}")):
            with self.subTest(served), Service(self.app, BQ_ADMIN_LISTEN=served, token=token) as service:
                self.assertEqual(0, self.health(asked.format(service.port)))
        self.assertEqual(1, self.health(asked.format(service.port)), "it has ended")
        for off in ("off", "OFF"):
            self.assertEqual(0, self.health(off))

    def health(self, listen):
        return subprocess.run([HEALTHY], env={**self.app.environment, "BQ_ADMIN_LISTEN": listen},
                              stderr=subprocess.DEVNULL).returncode

    def test_an_address_in_use_is_named(self):
        service = self.serve()
        status, _, err = self.app.run("serve", BQ_ADMIN_LISTEN=f"127.0.0.1:{service.port}",
                                      BQ_STATE_PATH=str(self.app.folder / "other.db"))
        self.assertEqual(3, status)
        self.assertIn(f"127.0.0.1:{service.port}", err)

    def test_a_path_that_is_no_utf8_leaves_each_document_utf8(self):
        folder = self.app.folder / os.fsdecode(b"caf\xe9")
        folder.mkdir()
        self.app.path = self.app.path.rename(folder / "app.db")
        shown = str(self.app.folder / "caf?/app.db")
        with Service(self.app) as service:
            run = service.wait_run(service.post(MANUAL).json["run_id"])
            self.assertTrue(run["ok"], run)
            self.assertEqual(shown, json.loads(service.get(STATUS).body.decode())["source"])
        # What a program prints is read as UTF-8 here.
        self.assertEqual(shown, self.app.json("status")["source"])
        for command in ("sync", "plan", "check", "verify"):
            self.app.json(command)

    def limited_to(self, descriptors):
        """From here on the program may have so many open files, as the hard limit says."""
        script = self.app.folder / "limited"
        script.write_text(f'#!/bin/sh\nulimit -n {descriptors}\nexec {self.program} "$@"\n')
        script.chmod(0o755)
        self.app.program = str(script)

    def test_too_few_descriptors_for_its_work_are_told_at_the_start(self):
        self.program = self.app.program
        for limit in (8, 16, 20, 24, 48, 79):
            with self.subTest(limit=limit):
                self.limited_to(limit)
                status, _, err = self.app.run("serve", BQ_ADMIN_LISTEN="127.0.0.1:0", BQ_LOG_LEVEL="warn")
                self.assertEqual(1, status, err)
                self.assertEqual(
                    f"bqsync: serve needs at least 80 open files for 8 tables, and the limit is {limit}; raise the"
                    " limit of open files (ulimit -n, or LimitNOFILE of the unit)\n", err)

    def test_as_many_descriptors_as_it_asks_for_are_enough(self):
        self.program = self.app.program
        self.limited_to(80)
        service = self.serve(BQ_SYNC_INTERVAL=AT_START, BQ_SYNC_FOLLOW="1s", BQ_LOG_LEVEL="info")
        service.wait_idle(1)
        self.app.execute("insert into accounts values (2, 'b@x', 2, null)")
        service.wait(lambda: self.app.warehouse_rows("accounts") == self.app.source_rows("accounts"), "the new row")
        service.sync(MANUAL)
        self.assertEqual(0, service.stop())
        self.assertNotIn("Too many open files", service.log)

    def test_the_service_manager_is_told(self):
        path = self.app.folder / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(path))
            manager.settimeout(30)
            service = self.serve(NOTIFY_SOCKET=str(path), WATCHDOG_USEC="200000")
            self.assertIn(b"READY=1", manager.recv(4096))
            self.assertEqual(b"WATCHDOG=1", manager.recv(4096))
            self.assertEqual(b"WATCHDOG=1", manager.recv(4096))
            service.process.send_signal(signal.SIGTERM)
            while (message := manager.recv(4096)) == b"WATCHDOG=1":
                pass
            self.assertEqual(b"STOPPING=1", message)

    # Metrics, health

    def test_metrics_tell_of_runs_and_satisfy_prometheus(self):
        service = self.serve(BQ_SYNC_INTERVAL=AT_START)
        service.wait_idle(1)
        self.app.execute("update accounts set note = 'n'")
        text = service.get("/metrics").body.decode()

        for line in ('bqsync_rows_total{table="accounts",kind="inserted"} 1',
                     'bqsync_pending_changes{table="accounts"} 1',
                     'bqsync_runs_total{kind="incremental",outcome="ok"} 1', "bqsync_last_run_ok 1",
                     'bqsync_quota_modifications_used{table="accounts"} 1'):
            self.assertIn(line + "\n", text)
        self.assertRegex(text, r'\nbqsync_requests_total{call="load",outcome="ok"} [1-9]')
        tool("promtool", "prometheus")
        judged = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                                capture_output=True)
        self.assertEqual((0, ""), (judged.returncode, judged.stdout + judged.stderr))

    def test_readiness_follows_the_source(self):
        service = self.serve()
        self.assertEqual(200, service.get("/readyz").status)
        away = self.app.path.with_suffix(".away")
        self.app.path.rename(away)
        answer = service.get("/readyz")
        self.assertEqual(503, answer.status)
        self.assertNotIn(str(self.app.path), answer.body.decode())
        self.assertIn("error", service.status())
        self.assertEqual(200, service.get("/healthz").status)
        away.rename(self.app.path)
        self.assertEqual(200, service.get("/readyz").status)

    def test_readiness_says_that_the_last_pass_could_not_begin(self):
        lock = self.app.path.with_name(self.app.path.name + ".bqsync-lock")
        lock.mkdir()
        service = self.serve()
        self.assertEqual(200, service.get("/readyz").status)

        def expect_refused(code):
            self.assertEqual(code, service.sync(INCREMENTAL)["error"]["code"])
            answer = service.get("/readyz")
            self.assertEqual((503, code), (answer.status, answer.json["error"]["code"]))
            self.assertNotIn(str(self.app.path), answer.body.decode())
            self.assertEqual(200, service.get("/healthz").status)

        expect_refused("source")
        lock.rmdir()
        self.assertEqual("done", service.sync(INCREMENTAL)["state"])
        self.assertEqual(200, service.get("/readyz").status)

        self.app.execute("update bq_sync_meta set value = '99' where name = 'schema_version'")
        expect_refused("source")
        self.app.execute("update bq_sync_meta set value = '1' where name = 'schema_version'")
        # A refusal by BigQuery, or another bqsync that holds the lock, is not a problem of this machine.
        self.bq.faults({"path": "/", "count": 0, "action": "status", "status": 403})
        self.app.execute("insert into accounts values (77, 'r@x', 1, null)")
        self.assertEqual("failed", service.sync(INCREMENTAL)["state"])
        self.bq.clear_faults()
        self.assertEqual(200, service.get("/readyz").status)

    # Reports

    def test_a_failing_table_is_reported_once_to_both_services(self):
        with Collector() as collector:
            service = self.serve(
                BUGSNAG_API_KEY="0123456789abcdef0123456789abcdef", BUGSNAG_ENDPOINT=collector.url + "/bugsnag",
                SENTRY_DSN=f"http://public5ecret@127.0.0.1:{collector.port}/7", BQ_ENVIRONMENT="test")
            self.app.script("drop table settings; create table settings(name text primary key)")
            for _ in range(2):
                run = service.wait_run(service.post(INCREMENTAL).json["run_id"])
                self.assertEqual("failed", self.app.table(run, "settings")["status"])
            bugsnag = collector.wait("/bugsnag")
            sentry = collector.wait("/api/7/envelope/")

            event = json.loads(bugsnag["body"])["events"][0]
            self.assertEqual("4", bugsnag["headers"]["Bugsnag-Payload-Version"])
            self.assertEqual("0123456789abcdef0123456789abcdef", bugsnag["headers"]["Bugsnag-Api-Key"])
            self.assertEqual("schema", event["exceptions"][0]["errorClass"])
            self.assertEqual("test", event["app"]["releaseStage"])
            self.assertEqual("settings", event["metaData"]["sync"]["table"])
            head, item, payload = sentry["body"].split("\n")[:3]
            self.assertEqual(len(payload.encode()), json.loads(item)["length"])
            self.assertEqual(json.loads(head)["event_id"], json.loads(payload)["event_id"])
            self.assertIn("sentry_key=public5ecret", sentry["headers"]["X-Sentry-Auth"])
            self.assertEqual("settings", json.loads(payload)["tags"]["table"])
            service.stop()
            self.assertEqual(2, len(collector.requests))
            for secret in ("0123456789abcdef0123456789abcdef", "public5ecret"):
                self.assertNotIn(secret, service.log)

    def test_rejected_rows_are_reported_when_their_number_grows(self):
        def sync(rejected, kind=INCREMENTAL):
            run = service.wait_run(service.post(kind).json["run_id"])
            self.assertEqual(rejected, self.app.table(run, "accounts")["rows_rejected"])

        with Collector() as collector:
            service = self.serve(
                BUGSNAG_API_KEY="0123456789abcdef0123456789abcdef", BUGSNAG_ENDPOINT=collector.url + "/bugsnag",
                SENTRY_DSN=f"http://public5ecret@127.0.0.1:{collector.port}/7")
            sync(0)
            self.app.execute("insert into accounts values (2, 'b@x', 'much', null), (3, 'c@x', 'more', null)")
            sync(2)
            for kind in (INCREMENTAL, MANUAL):
                sync(2, kind)
            self.app.execute("update accounts set balance = 3 where id = 3")
            sync(1)
            self.app.execute("insert into accounts values (4, 'd@x', 'lots', null), (5, 'e@x', 'loads', null)")
            sync(3)
            service.wait(lambda: len(collector.requests) == 4, "two reports to each")
            service.stop()

            for path in ("/bugsnag", "/api/7/envelope/"):
                told = [request["body"] for request in collector.requests if request["path"] == path]
                self.assertEqual(2, len(told), told)
                self.assertIn("2 rows of accounts do not fit their columns, 0 before", told[0])
                self.assertIn("3 rows of accounts do not fit their columns, 1 before", told[1])
                self.assertNotRegex("".join(told), "much|more|lots|loads")

    def test_a_reporter_that_does_not_answer_disturbs_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            service = self.serve(SENTRY_DSN=f"http://key-of-the-silent@127.0.0.1:{port}/1")
            self.app.script("drop table settings; create table settings(name text primary key)")
            run = service.wait_run(service.post(INCREMENTAL).json["run_id"])
            self.assertEqual("synced", self.app.table(run, "accounts")["status"])
            self.assertEqual(0, service.stop())


if __name__ == "__main__":
    unittest.main()
