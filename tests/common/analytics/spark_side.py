"""Run queries in Spark, in an environment of its own: ``spark_side.py QUESTION ANSWER`` (``tests/helpers/judges.py``).

Asked: ``checkout``, ``tables`` by name with their files, ``queries`` by name. Answered: the SHA-256 of each one's file.
"""

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

# Quick to start: no second compiler, which pays only in a longer run.
os.environ.update(JAVA_TOOL_OPTIONS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


def main() -> None:
    asked = json.loads(Path(sys.argv[1]).read_text())
    sys.path.insert(0, asked["checkout"])
    from common.analytics.engine import Query, Type
    from common.analytics.spark import Spark

    found = {}
    with tempfile.TemporaryDirectory(dir=".") as folder:
        place = Path(folder).resolve()
        engine = Spark(place, master="local[1]", memory_mb=512)
        for name, path in asked["tables"].items():
            engine.add(name, Path(path))
        for name, query in asked["queries"].items():
            columns = {column: Type(kind) for column, kind in query["columns"].items()}
            engine.write(Query(query["sql"], columns, tuple(query["key"])), place / "result.parquet")
            found[name] = hashlib.sha256((place / "result.parquet").read_bytes()).hexdigest()
        engine.close()
    Path(sys.argv[2]).write_text(json.dumps(found))


main()
