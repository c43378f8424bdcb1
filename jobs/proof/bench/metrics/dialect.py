"""Our queries in DuckDB's words.

sqlglot knows both dialects but for a few places, which are put right in its tree first.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp

# What a query calls and DuckDB has under another name. Only equality of its values matters.
MACROS = "CREATE MACRO xxhash64(a, b := 0, c := 0, d := 0) AS hash(a, b, c, d)"


def in_duckdb(statement: str) -> str:
    """Put a rendered query of sql/ into DuckDB's dialect.

    Parameters
    ----------
    statement
        In the dialect of Spark and Sail, without parameters.
    """
    tree = sqlglot.parse_one(statement, read="spark")
    for select in list(tree.find_all(exp.Select)):
        for lateral in list(select.args.get("laterals") or []):
            if isinstance(lateral.this, exp.Stack):
                _unstack(select, lateral)
    return tree.transform(_translated).sql(dialect="duckdb")


def _unstack(select: exp.Select, lateral: exp.Lateral) -> None:
    """Put LATERAL VIEW STACK into the unnesting of a list of structs, within its source.

    As a lateral join it would be joined back to its source by all columns, at several times the
    cost.
    """
    branches, values = int(lateral.this.this.name), lateral.this.expressions
    name, names = lateral.alias, [column.name for column in lateral.args["alias"].columns]
    for column in list(select.find_all(exp.Column)):
        is_own = column.find_ancestor(exp.Select) is select
        if not is_own or column.find_ancestor(exp.Lateral) is lateral:
            continue
        if column.name in names and column.table in ("", name):
            column.replace(exp.column(column.name, table=name))
    rows = [
        exp.Struct(
            expressions=[
                exp.PropertyEQ(this=exp.to_identifier(key), expression=value)
                for key, value in zip(names, values[branch * len(names) :], strict=False)
            ]
        )
        for branch in range(branches)
    ]
    lateral.pop()
    source = select.args["from_"].this
    unnested = exp.alias_(exp.Explode(this=exp.Array(expressions=rows)), name)
    source.replace(exp.select("*", unnested).from_(source.copy()).subquery(source.alias_or_name))


def _translated(node: exp.Expression) -> exp.Expression:
    if isinstance(node, exp.GenerateSeries) and node.args["start"].is_type("date"):
        if node.args.get("step") is not None:
            return node
        step = exp.Interval(this=exp.Literal.string("1"), unit=exp.var("DAY"))
        node.set("step", step)
        return exp.cast(node, "DATE[]", copy=False)
    if isinstance(node, exp.TimestampDiff):
        # date_diff counts the boundaries between, date_sub whole units as Spark does.
        unit = exp.Literal.string(node.args["unit"].name.lower())
        return exp.Anonymous(this="date_sub", expressions=[unit, node.expression, node.this])
    if isinstance(node, exp.JSONFormat):
        node.set("options", None)
    if isinstance(node, exp.Reduce) and node.args.get("finish") is not None:
        return _finished(node)
    if isinstance(node, exp.Anonymous):
        return _function(node)
    return node


def _finished(reduce: exp.Reduce) -> exp.Expression:
    """Put the last step of AGGREGATE around it."""
    finish = reduce.args["finish"]
    reduce.set("finish", None)
    state = finish.expressions[0].name

    def with_outcome(node: exp.Expression) -> exp.Expression:
        return reduce if isinstance(node, exp.Identifier) and node.name == state else node

    return finish.this.transform(with_outcome)


def _function(call: exp.Anonymous) -> exp.Expression:
    match call.name.lower(), call.expressions:
        case "weekday", [day]:  # from Monday = 0 on; DuckDB counts from Sunday
            return exp.paren(exp.Anonymous(this="isodow", expressions=[day]) - 1)
        case "get", [array, index]:  # counted from 0
            place = exp.paren(index) + 1
            return exp.Anonymous(this="list_extract", expressions=[array, place])
    return call
