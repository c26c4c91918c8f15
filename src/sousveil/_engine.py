"""The engine at the edge: the one place that knows DuckDB runs the table operations."""

from __future__ import annotations

import duckdb
import pyarrow as pa


def query(sql: str, schema: pa.Schema, **tables: pa.Table) -> pa.Table:
    """Run one SQL statement over the named Arrow tables.

    Returns the answer as a table cast to `schema`, whose column names the statement must yield.
    """
    with duckdb.connect(":memory:", config={"threads": 2}) as connection:
        for name, table in tables.items():
            connection.register(name, table)
        answer = connection.sql(sql).to_arrow_table()
    return answer.select(schema.names).cast(schema)
