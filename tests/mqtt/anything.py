"""Hypothesis strategies for any struct, from its types; and a check of JSON against the schemas that msgspec writes."""

import math
import re
from typing import Any

import msgspec
from hypothesis import strategies as st

KEYWORDS = {
    "$ref",
    "anyOf",
    "allOf",
    "type",
    "properties",
    "required",
    "additionalProperties",
    "enum",
    "const",
    "items",
}
KEYWORDS |= {"pattern", "minimum", "maximum", "title", "description", "default"}
NAMES = st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z")


def structs(kind: type, floats: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    """Any value of a struct's type; every float comes from `floats`."""
    return _values(msgspec.inspect.type_info(kind), floats)


def _values(info: msgspec.inspect.Type, floats: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    match info:
        case msgspec.inspect.StructType():
            fields = {}
            for field in info.fields:
                if field.default_factory is msgspec.NODEFAULT:
                    fields[field.name] = _values(field.type, floats)
                    if not field.required:
                        unset = field.default is msgspec.NODEFAULT
                        fields[field.name] |= st.just(msgspec.UNSET if unset else field.default)
            return st.builds(info.cls, **fields)
        case msgspec.inspect.UnionType():
            return st.one_of([_values(part, floats) for part in info.types if not _is_unset(part)])
        case msgspec.inspect.LiteralType():
            return st.sampled_from(info.values)
        case msgspec.inspect.StrType():
            return NAMES if info.pattern else st.text(max_size=20)
        case msgspec.inspect.IntType():
            return st.integers(info.ge if info.ge is not None else -(2**40), 2**40)
        case msgspec.inspect.FloatType():
            return floats if info.ge is None else st.floats(info.ge, info.le)
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.NoneType():
            return st.none()
        case msgspec.inspect.DictType():
            return st.dictionaries(_values(info.key_type, floats), _values(info.value_type, floats), max_size=3)
        case msgspec.inspect.VarTupleType():
            return st.lists(_values(info.item_type, floats), max_size=3).map(tuple)
    raise AssertionError(f"no strategy for {info}")


def _is_unset(info: msgspec.inspect.Type) -> bool:
    return (isinstance(info, msgspec.inspect.CustomType) and info.cls is msgspec.UnsetType) or "Unset" in repr(info)


def faults(value: Any, schema: dict[str, Any], definitions: dict[str, Any], where: str = "$") -> list[str]:
    """The places at which the value violates the schema; supports only the keywords of our schemas."""
    found = [f"{where}: a keyword that this check does not know: {key}" for key in schema.keys() - KEYWORDS]
    if "$ref" in schema:
        found += faults(value, definitions[schema["$ref"].split("/")[-1]], definitions, where)
    for part in schema.get("allOf", ()):
        found += faults(value, part, definitions, where)
    if "anyOf" in schema and all(faults(value, part, definitions, where) for part in schema["anyOf"]):
        found.append(f"{where}: {value!r} is none of the alternatives")
    if "type" in schema and not _is_of_type(value, schema["type"]):
        return [*found, f"{where}: {value!r} is not {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is not one of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{where}: {value!r} is not {schema['const']!r}")
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{where}: {value} is below {schema['minimum']}")
    if "maximum" in schema and value > schema["maximum"]:
        found.append(f"{where}: {value} is above {schema['maximum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{where}: {value!r} does not match {schema['pattern']}")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        found += [f"{where}: {key} is missing" for key in schema.get("required", ()) if key not in value]
        rest = schema.get("additionalProperties", True)
        for key, item in value.items():
            inner = properties.get(key, rest)
            if inner is False:
                found.append(f"{where}: {key} is not known")
            elif isinstance(inner, dict):
                found += faults(item, inner, definitions, f"{where}.{key}")
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            found += faults(item, schema["items"], definitions, f"{where}[{index}]")
    return found


def _is_of_type(value: Any, name: str) -> bool:
    if name in ("integer", "number"):
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole or (name == "number" and isinstance(value, float) and math.isfinite(value))
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    return isinstance(value, kinds[name])
