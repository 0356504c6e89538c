"""Anonymise a table by Spark, in an environment of its own: ``rounds_side.py QUESTION ANSWER`` (``helpers/judges.py``).

Asked: ``checkout``, ``table``, ``wishes`` with a part's size. Answered: the SHA-256 of each copy.
"""

import json
import os
import sys
from pathlib import Path

# Quick to start: no second compiler, which pays only in a longer run.
os.environ.update(JAVA_TOOL_OPTIONS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


def main() -> None:
    asked = json.loads(Path(sys.argv[1]).read_text())
    sys.path.insert(0, asked["checkout"])
    from common.analytics.workshop import Workshop
    from privacy.anonymisation import tables
    from privacy.anonymisation.wish import Wish

    workshop = Workshop(Path("work").resolve(), "spark", 512, "local[1]")
    found = []
    for part, wish in asked["wishes"]:
        tables.COMBINATIONS_IN_A_PART = part
        report = tables.anonymise_file(
            Path(asked["table"]), Path("copy.csv").resolve(), asked["names"], Wish(**wish), workshop=workshop
        )
        found.append(report.target_sha256)
    Path(sys.argv[2]).write_text(json.dumps(found))


main()
