"""Write the Delta tables beside this file, with Spark: delta-rs writes none of their features.

Run ``python tests/support/sharing/delta/make.py`` with JINGSHU_JARS set; what it writes is kept in
the repository, so that the gateway's tests need no Spark.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pyspark.sql import SparkSession

HERE = Path(__file__).parent

TABLES = {
    # Reader version 1, with a change data feed: an insert, an update, a delete, a file rewritten
    # without a change, a new column, one more insert.
    "changed": [
        (
            "CREATE TABLE {t} (id BIGINT, street STRING, day DATE) USING delta "
            "PARTITIONED BY (day) TBLPROPERTIES (delta.enableChangeDataFeed = true)"
        ),
        (
            "INSERT INTO {t} SELECT id, concat('s', id), date'2026-07-01' + cast(id % 2 AS INT) "
            "FROM range(6)"
        ),
        "INSERT INTO {t} VALUES (7, 's7', date'2026-07-02')",
        "UPDATE {t} SET street = 'moved' WHERE id = 3",
        "DELETE FROM {t} WHERE id IN (0, 1)",
        "OPTIMIZE {t}",
        "ALTER TABLE {t} ADD COLUMN (elders INT)",
        "INSERT INTO {t} VALUES (9, 's9', date'2026-07-03', 12)",
    ],
    "vectors": [
        (
            "CREATE TABLE {t} (id BIGINT, street STRING) USING delta "
            "TBLPROPERTIES (delta.enableDeletionVectors = true)"
        ),
        "INSERT INTO {t} SELECT /*+ REPARTITION(1) */ id, concat('s', id) FROM range(5)",
        "INSERT INTO {t} SELECT /*+ REPARTITION(1) */ id + 5, concat('s', id) FROM range(5)",
        "DELETE FROM {t} WHERE id IN (0, 2, 4)",
    ],
    "mapped": [
        (
            "CREATE TABLE {t} (id BIGINT, secret STRING, street STRING, day DATE) USING delta "
            "PARTITIONED BY (day) TBLPROPERTIES (delta.columnMapping.mode = 'name')"
        ),
        "INSERT INTO {t} SELECT id, 'hidden', concat('s', id), date'2026-07-01' FROM range(3)",
        "ALTER TABLE {t} RENAME COLUMN street TO road",
    ],
    # A dropped column is still in the files that were written before.
    "dropped": [
        (
            "CREATE TABLE {t} (id BIGINT, secret STRING) USING delta "
            "TBLPROPERTIES (delta.columnMapping.mode = 'name')"
        ),
        "INSERT INTO {t} SELECT id, 'hidden' FROM range(3)",
        "ALTER TABLE {t} DROP COLUMN secret",
    ],
}


def main() -> None:
    """Write every table anew."""
    jars = ",".join(str(j) for j in sorted(Path(os.environ["JINGSHU_JARS"]).glob("*.jar")))
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.jars", jars)
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config(
            "spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog"
        )
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    for name, statements in TABLES.items():
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        for statement in statements:
            spark.sql(statement.format(t=f"delta.`{folder}`"))
        for checksum in [*folder.rglob("*.crc")]:
            checksum.unlink()
    spark.stop()


if __name__ == "__main__":
    main()
