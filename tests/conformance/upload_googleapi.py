"""Uploads a file of newline-delimited JSON by Google's Python API client, in chunks and in one request, and prints
the finished jobs. Arguments: discovery document, root URL, file. Runs under whichever Python has the client."""

import json
import sys
import time

import httplib2
from googleapiclient.discovery import build_from_document
from googleapiclient.http import MediaFileUpload, set_user_agent

CHUNK_BYTES = 256 * 1024


def load(service, path, table, resumable):
    media = MediaFileUpload(path, mimetype="application/octet-stream", resumable=resumable,
                            chunksize=CHUNK_BYTES if resumable else -1)
    request = service.jobs().insert(projectId="p", media_body=media, body={"configuration": {"load": {
        "sourceFormat": "NEWLINE_DELIMITED_JSON",
        "destinationTable": {"projectId": "p", "datasetId": "d", "tableId": table}}}})
    chunks, job = 1, None
    if resumable:
        while job is None:
            _, job = request.next_chunk()
            chunks += job is None
    else:
        job = request.execute()
    reference = job["jobReference"]
    while job["status"]["state"] != "DONE":
        time.sleep(0.01)
        job = service.jobs().get(projectId="p", jobId=reference["jobId"], location=reference["location"]).execute()
    rows = job["statistics"].get("load", {}).get("outputRows")
    return {"chunks": chunks, "rows": rows, "error": job["status"].get("errorResult")}


def main():
    document_path, root, path = sys.argv[1:]
    with open(document_path, encoding="utf-8") as file:
        document = json.load(file)
    document.update(rootUrl=root + "/", baseUrl=root + "/bigquery/v2/")
    http = httplib2.Http()
    # 308 is an answer of a resumable upload here, not a redirection.
    http.redirect_codes = http.redirect_codes - {308}
    service = build_from_document(document, http=set_user_agent(http, "bqsync-conformance"))
    for table in ("chunked", "whole"):
        service.tables().insert(projectId="p", datasetId="d", body={
            "tableReference": {"projectId": "p", "datasetId": "d", "tableId": table},
            "schema": {"fields": [{"name": "id", "type": "INT64"}, {"name": "s", "type": "STRING"}]}}).execute()
    out = {"chunked": load(service, path, "chunked", True), "whole": load(service, path, "whole", False)}
    out["missing"] = load(service, path, "nosuch", True)
    print(json.dumps(out))


main()
