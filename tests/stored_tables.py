"""Stored tables in memory, for what reads them by name."""

from __future__ import annotations

from pyspark.sql.types import StructField, StructType

from jobs.core.catalog import all_tables


class StoredTables:
    """Tables by name; add rows as dictionaries, columns not named are NULL."""

    def __init__(self, spark):
        self.spark = spark
        self.rows = {}

    def add(self, table, *rows):
        self.rows.setdefault(table, []).extend(rows)

    def exists(self, table):
        return table in self.rows

    def read(self, table):
        fields = all_tables()[table].schema
        schema = StructType([StructField(field.name, field.dataType) for field in fields])
        rows = self.rows[table]
        unknown = {name for row in rows for name in row} - set(schema.names)
        assert not unknown, f"{table} has no columns {unknown}"
        values = [tuple(row.get(name) for name in schema.names) for row in rows]
        return self.spark.createDataFrame(values, schema)
