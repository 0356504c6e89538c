"""Apache Spark: the same queries where the data outgrow one machine (``requirements/spark.txt``, Java 17 or newer).

Tables and results go through Parquet files in ``folder``, which the driver and every executor of a cluster must reach.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from pyarrow import parquet
from pyspark.sql import SparkSession

from common.analytics.engine import Engine

_FUNCTIONS = (
    "CREATE TEMPORARY FUNCTION quotient(a BIGINT, b BIGINT) RETURNS BIGINT RETURN a div b",
    "CREATE TEMPORARY FUNCTION text_digest(words STRING) RETURNS STRING RETURN sha2(words, 256)",
)
_SETTINGS = {
    "spark.sql.ansi.enabled": "true",  # an overflow is an error, as in DuckDB
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
}
# Nothing listens but on this machine.
_LOCAL = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
_PARTITIONS = "8"  # of a shuffle on one machine; 200, Spark's own, is for a cluster


class Spark(Engine):
    """A Spark session: ``local[*]`` on this machine, or the address of a cluster."""

    def __init__(self, folder: Path, *, master: str, memory_mb: int) -> None:
        super().__init__(folder)
        builder = SparkSession.builder.appName("assent").master(master)
        more = {**_LOCAL, "spark.sql.shuffle.partitions": _PARTITIONS} if master.startswith("local") else {}
        for name, value in {**_SETTINGS, **more, "spark.driver.memory": f"{memory_mb}m"}.items():
            builder = builder.config(name, value)
        self._session = builder.getOrCreate()
        for function in _FUNCTIONS:
            self._session.sql(function)

    def _add(self, name: str, source: Any) -> None:
        if not isinstance(source, Path):
            path = self.folder / f"{name}-{uuid4().hex}.parquet"
            parquet.write_table(source, path)
            source = path
        self._session.read.parquet(str(source)).createOrReplaceTempView(name)

    def _batches(self, statement: str) -> Iterator[Any]:
        result = self.folder / f"result-{uuid4().hex}"
        try:
            # The parts of a sorted result are numbered in its order.
            self._session.sql(statement).write.parquet(str(result))
            for part in sorted(result.glob("part-*.parquet")):
                yield from parquet.ParquetFile(part).iter_batches()
        finally:
            shutil.rmtree(result, ignore_errors=True)

    def close(self) -> None:
        self._session.stop()
