"""Run by cyclonedx-python-lib's Python (tests/helpers/judges.py): what the official schemas find wrong in documents.

Besides, the digest of each schema that the library brings.
"""

import hashlib
import json
import sys
from pathlib import Path

from cyclonedx import schema
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

question, answer = map(Path, sys.argv[1:])


def errors(document: dict) -> list[str]:
    version = SchemaVersion.from_version(document["specVersion"])
    found = JsonStrictValidator(version).validate_str(json.dumps(document), all_errors=True)
    return ["/".join(map(str, each.data.absolute_path)) + ": " + each.data.message[:200] for each in found or ()]


schemas = Path(schema.__file__).parent.joinpath("_res").glob("*.schema.json")
answer.write_text(
    json.dumps(
        {
            "errors": [errors(document) for document in json.loads(question.read_text())],
            "schemas": {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in schemas},
        }
    )
)
