"""What numba makes of `_simd`: a type of its own for a vector of lanes, and instructions of LLVM for its primitives.

Imported when the first kernel on lanes is needed. The types are found in this module again when compiled code is read
from the disk.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import lower_builtin, models, register_model, type_callable

from ._simd import (
    LANES,
    MANTISSA_BITS,
    ONE_EXPONENT,
    ROUND_BITS,
    SQRT_HALF_BITS,
    any_lane,
    exponent,
    load,
    mantissa,
    select,
    splat,
    store,
    two_to_the,
)


class Lanes(types.Type):
    """numba's type of a vector of lanes."""

    def __init__(self) -> None:
        super().__init__("Lanes")


class LaneMask(types.Type):
    """numba's type of a comparison of lanes."""

    def __init__(self) -> None:
        super().__init__("LaneMask")


_LANES, _MASK = Lanes(), LaneMask()
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_BITS = ir.VectorType(ir.IntType(64), LANES)
_INDEX = ir.IntType(32)


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


@register_model(LaneMask)
class _MaskModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.VectorType(ir.IntType(1), LANES))


def _define(function: Any, typed: Callable[..., Any], lowered: Callable[..., Any], *patterns: Any) -> None:
    """Give a function a meaning for arguments of these types.

    `typed` returns the type of the result, or None; ``lowered(builder, *values)`` the instruction. Numbers arrive as
    vectors unless they are an index or a condition.
    """
    type_callable(function)(lambda context: typed)

    def lower(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return lowered(builder, *(_value(context, builder, *pair) for pair in zip(values, signature.args, strict=True)))

    for pattern in patterns:
        lower_builtin(function, *pattern)(lower)


def _value(context: Any, builder: Any, value: Any, kind: Any) -> Any:
    if isinstance(kind, types.Array):
        return context.make_array(kind)(context, builder, value).data
    if not isinstance(kind, types.Number):
        return value
    number = context.cast(builder, value, kind, types.float64)
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, number, ir.Constant(_INDEX, 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(_INDEX, LANES), [0] * LANES))


def _is_number(kind: Any) -> bool:
    return kind == _LANES or isinstance(kind, types.Number)


def _lanes_of_one(one: Any) -> Any:
    return _LANES if one == _LANES else None


def _of_two(result: Any) -> Callable[..., Any]:
    def typed(one: Any, other: Any) -> Any:
        return result if _LANES in (one, other) and _is_number(one) and _is_number(other) else None

    return typed


_PAIRS = ((_LANES, _LANES), (_LANES, types.Number), (types.Number, _LANES))
_ARITHMETIC = {
    "fadd": (operator.add, operator.iadd),
    "fsub": (operator.sub, operator.isub),
    "fmul": (operator.mul, operator.imul),
    "fdiv": (operator.truediv, operator.itruediv),
}
_COMPARISONS = {
    operator.lt: "<", operator.le: "<=", operator.gt: ">", operator.ge: ">=", operator.eq: "==", operator.ne: "!="
}  # fmt: skip


def _arithmetic(name: str) -> Callable[..., Any]:
    return lambda builder, one, other: getattr(builder, name)(one, other)


def _comparison(sign: str) -> Callable[..., Any]:
    # Only "not equal" holds for a NaN.
    name = "fcmp_unordered" if sign == "!=" else "fcmp_ordered"
    return lambda builder, one, other: getattr(builder, name)(sign, one, other)


for _name, _functions in _ARITHMETIC.items():
    for _function in _functions:
        _define(_function, _of_two(_LANES), _arithmetic(_name), *_PAIRS)
for _function, _sign in _COMPARISONS.items():
    _define(_function, _of_two(_MASK), _comparison(_sign), *_PAIRS)


@lower_builtin(operator.pow, _LANES, types.Number)  # type: ignore[untyped-decorator]
def _power(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    number = types.float64
    power = context.get_function(operator.pow, number(number, number))
    to = context.cast(builder, values[1], signature.args[1], number)
    out = ir.Constant(_VECTOR, ir.Undefined)
    for k in range(LANES):
        at = ir.Constant(_INDEX, k)
        out = builder.insert_element(out, power(builder, (builder.extract_element(values[0], at), to)), at)
    return out


@type_callable(operator.pow)  # type: ignore[untyped-decorator]
def _type_of_power(context: Any) -> Any:
    return lambda one, to: _LANES if one == _LANES and isinstance(to, types.Number) else None


@lower_builtin(load, types.Array, types.Integer)  # type: ignore[untyped-decorator]
def _load(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    return builder.load(_row(context, builder, signature.args, values), align=8)


@lower_builtin(store, types.Array, types.Integer, _LANES)  # type: ignore[untyped-decorator]
@lower_builtin(store, types.Array, types.Integer, types.Number)  # type: ignore[untyped-decorator]
def _store(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    lanes = _value(context, builder, values[2], signature.args[2])
    builder.store(lanes, _row(context, builder, signature.args, values), align=8)
    return context.get_dummy_value()


def _row(context: Any, builder: Any, kinds: Any, values: Any) -> Any:
    """Return the address of a row."""
    row = context.cast(builder, values[1], kinds[1], types.intp)
    first = builder.mul(row, ir.Constant(row.type, LANES))
    return builder.bitcast(builder.gep(_value(context, builder, values[0], kinds[0]), [first]), _VECTOR.as_pointer())


def _is_flat(array: Any) -> bool:
    return isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C" and array.dtype == types.float64


@type_callable(load)  # type: ignore[untyped-decorator]
def _type_of_load(context: Any) -> Any:
    return lambda array, row: _LANES if _is_flat(array) and isinstance(row, types.Integer) else None


@type_callable(store)  # type: ignore[untyped-decorator]
def _type_of_store(context: Any) -> Any:
    return lambda array, row, lanes: types.none if _is_flat(array) and _is_number(lanes) else None


def _constant(value: int) -> Any:
    return ir.Constant(_BITS, [value] * LANES)


def _absolute(builder: Any, one: Any) -> Any:
    return builder.bitcast(builder.and_(builder.bitcast(one, _BITS), _constant(2**63 - 1)), _VECTOR)


def _any(builder: Any, condition: Any) -> Any:
    bits = ir.IntType(LANES)
    return builder.icmp_unsigned("!=", builder.bitcast(condition, bits), ir.Constant(bits, 0))


def _power_of_two(builder: Any, one: Any) -> Any:
    biased = builder.add(builder.bitcast(one, _BITS), _constant(ONE_EXPONENT - ROUND_BITS))
    return builder.bitcast(builder.shl(biased, _constant(MANTISSA_BITS)), _VECTOR)


def _exponent_bits(builder: Any, one: Any) -> Any:
    above = builder.sub(builder.bitcast(one, _BITS), _constant(SQRT_HALF_BITS))
    return builder.ashr(above, _constant(MANTISSA_BITS))


def _exponent(builder: Any, one: Any) -> Any:
    return builder.sitofp(_exponent_bits(builder, one), _VECTOR)


def _mantissa(builder: Any, one: Any) -> Any:
    shifted = builder.shl(_exponent_bits(builder, one), _constant(MANTISSA_BITS))
    return builder.bitcast(builder.sub(builder.bitcast(one, _BITS), shifted), _VECTOR)


def _type_of_selection(condition: Any, one: Any, other: Any) -> Any:
    decides = condition == _MASK or isinstance(condition, types.Boolean)
    return _LANES if decides and _is_number(one) and _is_number(other) else None


_define(operator.neg, _lanes_of_one, lambda builder, one: builder.fneg(one), (_LANES,))
_define(abs, _lanes_of_one, _absolute, (_LANES,))
_define(two_to_the, _lanes_of_one, _power_of_two, (_LANES,))
_define(exponent, _lanes_of_one, _exponent, (_LANES,))
_define(mantissa, _lanes_of_one, _mantissa, (_LANES,))
_define(splat, lambda one: _LANES if _is_number(one) else None, lambda builder, one: one, (types.Number,), (_LANES,))
_define(any_lane, lambda condition: types.boolean if condition == _MASK else None, _any, (_MASK,))
_define(
    select,
    _type_of_selection,
    lambda builder, condition, one, other: builder.select(condition, one, other),
    (types.Any, types.Any, types.Any),
)
