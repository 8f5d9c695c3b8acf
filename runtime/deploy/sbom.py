"""Writes what an installation of bqsync consists of, as SPDX 2.3 JSON (https://spdx.github.io/spdx-spec/v2.3/).

Runs while bqsync is installed, because the programs are stripped then and only the installed ones are worth a checksum.
What CMake has found (sbom.cmake) comes in a file of JSON. The same files and the same commit give the same bytes.
"""

import argparse
import datetime
import hashlib
import json
import os
import pathlib
import subprocess
import time
import uuid

OURS = "SPDXRef-Package-bqsync"
ABSENT = "NOASSERTION"


def git(source, *arguments):
    """What git says of the sources, None if they are no repository of their own."""
    try:
        ended = subprocess.run(["git", "-C", source, *arguments], capture_output=True, text=True)
    except OSError:
        return None
    return ended.stdout.strip() if ended.returncode == 0 else None


def commit_of(source):
    """The commit that the sources are, and whether something has changed since; None if no git says so."""
    top = git(source, "rev-parse", "--show-toplevel")
    if top is None or os.path.realpath(top) != os.path.realpath(source):
        return None, False
    return git(source, "rev-parse", "HEAD"), bool(git(source, "status", "--porcelain", "--untracked-files=no"))


def seconds_of(source, commit):
    """The time of the document: what the packager says (SOURCE_DATE_EPOCH), else the commit's, else now."""
    given = os.environ.get("SOURCE_DATE_EPOCH") or (commit and git(source, "log", "-1", "--format=%ct"))
    return int(given or time.time())


def file_entry(root, name):
    content = (root / name).read_bytes()
    checksums = {"SHA1": hashlib.sha1(content), "SHA256": hashlib.sha256(content)}
    return {
        "SPDXID": "SPDXRef-File-" + pathlib.PurePath(name).name.replace("_", "-"),
        "fileName": f"./{name}",
        "checksums": [{"algorithm": kind, "checksumValue": value.hexdigest()} for kind, value in checksums.items()],
        "licenseConcluded": "Apache-2.0",
        "copyrightText": ABSENT,
    }


def verification_code(files):
    """The hash of a package over its files (SPDX 2.3, 7.9)."""
    sums = sorted(entry["checksums"][0]["checksumValue"] for entry in files)
    return hashlib.sha1("".join(sums).encode()).hexdigest()


def own_package(facts, files, commit, changed):
    package = {
        "SPDXID": OURS,
        "name": "bqsync",
        "versionInfo": facts["version"],
        "downloadLocation": ABSENT,
        "filesAnalyzed": True,
        "packageVerificationCode": {"packageVerificationCodeValue": verification_code(files)},
        "licenseConcluded": "Apache-2.0",
        "licenseDeclared": "Apache-2.0",
        "licenseInfoFromFiles": ["Apache-2.0"],
        "copyrightText": ABSENT,
        "primaryPackagePurpose": "APPLICATION",
        "sourceInfo": "sources without a git repository",
    }
    if commit:
        package["sourceInfo"] = f"git commit {commit}" + (", with changes that are not committed" if changed else "")
    if commit and not changed:
        # The identifier of a revision is git's own hash (https://docs.softwareheritage.org, SWHID).
        package["externalRefs"] = [{"referenceCategory": "PERSISTENT-ID", "referenceType": "swh",
                                    "referenceLocator": f"swh:1:rev:{commit}"}]
    return package


def library_package(library):
    package = {
        "SPDXID": f"SPDXRef-Package-{library['name']}",
        "name": library["name"],
        "versionInfo": library["version"],
        "downloadLocation": ABSENT,
        "homepage": library["homepage"],
        "filesAnalyzed": False,
        "licenseConcluded": library["licence"],
        "licenseDeclared": library["licence"],
        "copyrightText": ABSENT,
        "primaryPackagePurpose": "LIBRARY",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": f"pkg:generic/{library['name']}@{library['version']}"}],
    }
    if library["cpe"]:
        package["externalRefs"].append({
            "referenceCategory": "SECURITY", "referenceType": "cpe23Type",
            "referenceLocator": f"cpe:2.3:a:{library['cpe']}:{library['version']}:*:*:*:*:*:*:*"})
    return package


def related(element, kind, other):
    return {"spdxElementId": element, "relationshipType": kind, "relatedSpdxElement": other}


def document(facts, source, root):
    """The whole document; root is the prefix that bqsync was installed to."""
    commit, changed = commit_of(source)
    files = [file_entry(root, name) for name in facts["files"]]
    libraries = [library_package(library) for library in facts["libraries"]]
    created = datetime.datetime.fromtimestamp(seconds_of(source, commit), datetime.timezone.utc)
    name = f"bqsync-{facts['version']}"
    relationships = [related("SPDXRef-DOCUMENT", "DESCRIBES", OURS)]
    relationships += [related(OURS, "CONTAINS", entry["SPDXID"]) for entry in files]
    relationships += [related(f"SPDXRef-File-{program}", library["link"], f"SPDXRef-Package-{library['name']}")
                      for library in facts["libraries"] for program in library["programs"]]
    content = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
                         "creators": [f"Tool: bqsync-{facts['version']}"]},
        "packages": [own_package(facts, files, commit, changed), *libraries],
        "files": files,
        "relationships": relationships,
    }
    # Documents with different content need different names.
    unique = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(content, sort_keys=True))
    return {**content, "documentNamespace": f"https://spdx.org/spdxdocs/{name}-{unique}"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=pathlib.Path, required=True, help="what CMake has found, as JSON")
    parser.add_argument("--source", required=True, help="the folder of the sources")
    parser.add_argument("--root", type=pathlib.Path, required=True, help="where bqsync was installed")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="the document, below that")
    options = parser.parse_args()

    made = document(json.loads(options.facts.read_text()), options.source, options.root)
    path = options.root / options.output
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made, indent=2, sort_keys=True) + "\n")
    path.chmod(0o644)


if __name__ == "__main__":
    main()
