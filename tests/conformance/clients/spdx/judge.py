"""Reads an SPDX document and prints what it says as JSON: what spdx-tools finds wrong with it, packages, files, links."""

import json
import sys

from spdx_tools.spdx.model import RelationshipType
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

document = parse_file(sys.argv[1])
json.dump({
    "problems": [message.validation_message for message in validate_full_spdx_document(document)],
    "packages": {package.spdx_id: [package.name, package.version, str(package.license_declared), package.source_info]
                 for package in document.packages},
    "files": {file.name: {checksum.algorithm.name: checksum.value for checksum in file.checksums}
              for file in document.files},
    "links": [[relationship.spdx_element_id, relationship.related_spdx_element_id]
              for relationship in document.relationships
              if relationship.relationship_type == RelationshipType.DYNAMIC_LINK],
}, sys.stdout)
