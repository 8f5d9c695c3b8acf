"""Media uploads of bqlocal in every dialect that Google's clients speak."""

import json
import socket
import time
import unittest

from tests.bqlocal.tests.rest_case import RestCase
from tests.support import avro_writer as avro
from tests.support.bqlocal import HttpError

UNIT = 262144
PATH = "/upload/bigquery/v2/projects/p/jobs"


class RestUploads(RestCase):
    def setUp(self):
        super().setUp()
        self.rows = [(i, bytes((i * 7 + k) % 251 for k in range(97))) for i in range(9000)]
        self.media = avro.container(
            [("id", avro.nullable("long")), ("data", avro.nullable("bytes"))], self.rows)

    def job(self, job_id=None):
        job = {"configuration": {"load": {"sourceFormat": "AVRO",
                                          "destinationTable": self.bq.reference("d", "t")}}}
        if job_id is not None:
            job["jobReference"] = {"projectId": "p", "jobId": job_id}
        return job

    def check_rows(self, times=1):
        self.assertEqual(self.bq.table("d", "t")["numRows"], str(len(self.rows) * times))
        self.assertEqual([tuple(r.values()) for r in self.bq.rows("d", "t")], self.rows * times)

    # Multipart

    def multipart(self, boundary, newline, quoted, tail):
        lines = [b"--" + boundary, b"Content-Type: application/json", b"MIME-Version: 1.0", b"",
                 json.dumps(self.job()).encode(), b"--" + boundary,
                 b"Content-Type: application/octet-stream", b"Content-Transfer-Encoding: binary",
                 b"", b""]
        body = newline.join(lines) + self.media + newline + b"--" + boundary + b"--" + tail
        mark = '"%s"' if quoted else "%s"
        return body, "multipart/related; boundary=" + mark % boundary.decode()

    def test_multipart_bodies_of_all_clients_are_taken(self):
        dialects = {
            "crlf": (b"plain", b"\r\n", False, b"\r\n"),
            "no line end at the end": (b"a-b-c", b"\r\n", False, b""),
            "bare line feeds, quoted boundary": (b"===============123==", b"\n", True, b""),
        }
        for count, (label, dialect) in enumerate(dialects.items(), 1):
            with self.subTest(label):
                body, kind = self.multipart(*dialect)
                job = self.bq.request("POST", PATH + "?uploadType=multipart", body,
                                      {"Content-Type": kind})
                self.assertEqual(job["status"], {"state": "DONE"})
                self.check_rows(count)

    def test_a_chunked_body_on_the_short_prefix_is_taken(self):
        body, kind = self.multipart(b"xyz", b"\r\n", False, b"")

        def pieces():
            for start in range(0, len(body), 50000):
                yield body[start:start + 50000]

        job = self.bq.request("POST", "/resumable/upload/projects/p/jobs?uploadType=multipart&alt=json",
                              pieces(), {"Content-Type": kind})

        self.assertEqual(job["status"], {"state": "DONE"})
        self.check_rows()

    def test_malformed_multipart_bodies_are_refused(self):
        cases = {
            "no boundary": (b"x", "multipart/related"),
            "one part": (b"--b\r\n\r\n{}\r\n--b--", "multipart/related; boundary=b"),
            "no end": (b"--b\r\n\r\n{}\r\n--b\r\n\r\nmedia", "multipart/related; boundary=b"),
            "no JSON": (b"--b\r\n\r\n{\r\n--b\r\n\r\nmedia\r\n--b--", "multipart/related; boundary=b"),
        }
        for label, (body, kind) in cases.items():
            with self.subTest(label), self.assertRaises(HttpError) as caught:
                self.bq.request("POST", PATH + "?uploadType=multipart", body, {"Content-Type": kind})
            self.assertEqual(caught.exception.status, 400)
        with self.assertRaises(HttpError) as caught:
            self.bq.request("POST", PATH + "?uploadType=media", b"x")
        self.assertEqual(caught.exception.status, 400)

    def test_an_id_used_twice_is_a_duplicate(self):
        self.bq.load("d", "t", self.media, "once")

        with self.assertRaises(HttpError) as caught:
            self.bq.load("d", "t", self.media, "once")

        self.assertEqual((caught.exception.status, caught.exception.reason), (409, "duplicate"))
        self.check_rows()

    # Resumable

    def start(self, job_id=None, **headers):
        status, answer, _ = self.bq.raw("POST", PATH + "?uploadType=resumable", self.job(job_id),
                                        {"X-Upload-Content-Type": "application/octet-stream", **headers})
        self.assertEqual(status, 200)
        self.assertTrue(answer["Location"].startswith(self.bq.url + PATH))
        return answer["Location"]

    def put(self, location, data, content_range, method="PUT", **headers):
        headers["Content-Range"] = content_range
        status, answer, body = self.bq.raw(method, location, data, headers)
        return status, answer, body

    def test_chunks_of_known_and_unknown_total_make_one_job(self):
        total = len(self.media)
        for count, unknown in enumerate((False, True), 1):
            with self.subTest(unknown):
                location = self.start()
                for start in range(0, total, UNIT):
                    end = min(start + UNIT, total)
                    known = end == total or not unknown
                    status, headers, body = self.put(
                        location, self.media[start:end],
                        f"bytes {start}-{end - 1}/{total if known else '*'}")
                    if end < total:
                        self.assertEqual(
                            (status, headers["Range"], body), (308, f"bytes=0-{end - 1}", b""))
                self.assertEqual(status, 200)
                self.assertEqual(json.loads(body)["status"]["state"], "DONE")
                self.check_rows(count)

    def test_a_client_that_fears_308_gets_200_with_the_real_status(self):
        location = self.start()
        status, headers, body = self.put(location, self.media[:UNIT], f"bytes 0-{UNIT - 1}/*", "POST",
                                         **{"X-GUploader-No-308": "yes"})

        self.assertEqual((status, body), (200, b""))
        self.assertEqual(headers["X-Http-Status-Code-Override"], "308")
        self.assertEqual(headers["Range"], f"bytes=0-{UNIT - 1}")
        total = len(self.media)
        status, _, _ = self.put(location, self.media[UNIT:], f"bytes {UNIT}-{total - 1}/{total}", "POST")
        self.assertEqual(status, 200)
        self.check_rows()

    def test_the_state_can_be_asked_for_at_any_time(self):
        total = len(self.media)
        location = self.start("asked")

        status, headers, _ = self.put(location, b"", "bytes */*")
        self.assertEqual((status, headers["Range"]), (308, None))
        self.put(location, self.media[:UNIT], f"bytes 0-{UNIT - 1}/{total}")
        status, headers, _ = self.put(location, b"", f"bytes */{total}")
        self.assertEqual((status, headers["Range"]), (308, f"bytes=0-{UNIT - 1}"))
        self.put(location, self.media[UNIT:], f"bytes {UNIT}-{total - 1}/{total}")
        status, _, body = self.put(location, b"", f"bytes */{total}")

        self.assertEqual(status, 200)
        self.assertEqual(json.loads(body)["jobReference"]["jobId"], "asked")
        self.check_rows()

    def test_an_empty_request_ends_an_upload_of_unknown_size(self):
        padded = self.media
        location = self.start()
        whole = len(padded) // UNIT * UNIT
        self.put(location, padded[:whole], f"bytes 0-{whole - 1}/*")
        total = len(padded)
        self.put(location, padded[whole:], f"bytes {whole}-{total - 1}/{total}")

        status, _, body = self.put(location, b"", f"bytes */{total}")

        self.assertEqual(status, 200)
        self.assertEqual(json.loads(body)["status"], {"state": "DONE"})

    def test_bytes_sent_again_are_not_doubled_and_a_gap_is_not_filled(self):
        total = len(self.media)
        location = self.start()
        self.put(location, self.media[:2 * UNIT], f"bytes 0-{2 * UNIT - 1}/{total}")

        status, headers, _ = self.put(
            location, self.media[3 * UNIT:], f"bytes {3 * UNIT}-{total - 1}/{total}")
        self.assertEqual((status, headers["Range"]), (308, f"bytes=0-{2 * UNIT - 1}"))
        status, _, _ = self.put(location, self.media[UNIT:], f"bytes {UNIT}-{total - 1}/{total}")

        self.assertEqual(status, 200)
        self.check_rows()

    def test_a_chunk_of_odd_size_is_refused_unless_it_is_the_last(self):
        location = self.start()

        status, _, _ = self.put(location, self.media[:1000], "bytes 0-999/*")

        self.assertEqual(status, 400)

    def test_a_file_in_one_request_without_a_range_is_taken(self):
        location = self.start()

        job = self.bq.request("PUT", location, self.media)

        self.assertEqual(job["status"], {"state": "DONE"})
        self.check_rows()

    def test_what_arrived_before_a_broken_connection_is_kept(self):
        total = len(self.media)
        location = self.start()
        path = location[len(self.bq.url):]
        with socket.create_connection(("127.0.0.1", self.bq.port)) as raw:
            raw.sendall(f"PUT {path} HTTP/1.1\r\nHost: {self.bq.host}\r\nContent-Length: {total}\r\n"
                        f"Content-Range: bytes 0-{total - 1}/{total}\r\n\r\n".encode()
                        + self.media[:UNIT])

        # Until the server has read what was sent and has seen the connection end, the session is
        # empty or busy.
        status, kept_range = 503, None
        end = time.monotonic() + 60
        while status == 503 or kept_range is None:
            self.assertLess(time.monotonic(), end)
            status, headers, _ = self.put(location, b"", f"bytes */{total}")
            kept_range = headers["Range"]
        self.assertEqual(status, 308)
        kept = int(headers["Range"].split("-")[1]) + 1
        self.assertLessEqual(kept, UNIT)
        self.assertGreater(kept, 0)
        status, _, _ = self.put(location, self.media[kept:], f"bytes {kept}-{total - 1}/{total}")
        self.assertEqual(status, 200)
        self.check_rows()

    def test_the_end_of_an_upload_meets_409_where_the_id_is_used(self):
        self.bq.load("d", "t", self.media, "used")
        location = self.start("used")
        total = len(self.media)

        for _ in range(2):
            status, _, body = self.put(location, self.media, f"bytes 0-{total - 1}/{total}")
            self.assertEqual(status, 409)
            self.assertEqual(json.loads(body)["error"]["errors"][0]["reason"], "duplicate")
        self.check_rows()

    def test_an_unknown_or_forgotten_session_is_not_found(self):
        location = self.start()
        self.bq.faults({"action": "upload_vanish", "path": "upload_id="})

        status, _, _ = self.put(location, self.media[:UNIT], f"bytes 0-{UNIT - 1}/*")
        again, _, _ = self.put(location, self.media[:UNIT], f"bytes 0-{UNIT - 1}/*")

        self.assertEqual((status, again), (404, 404))

    def test_memory_stays_flat_whatever_is_uploaded(self):
        def peak():
            with open(f"/proc/{self.bq.pid}/status", encoding="ascii") as status:
                return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))

        location = self.start()
        self.put(location, bytes(UNIT), f"bytes 0-{UNIT - 1}/*")
        before = peak()
        chunk = bytes(64 * UNIT)
        for number in range(6):
            first = UNIT + number * len(chunk)
            self.put(location, chunk, f"bytes {first}-{first + len(chunk) - 1}/*")

        self.assertLess(peak() - before, 32 * 1024)


if __name__ == "__main__":
    unittest.main()
