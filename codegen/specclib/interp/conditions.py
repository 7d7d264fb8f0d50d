"""Conditions of the spec evaluated: `require` of payloads, `where` of roles and messages."""

import operator

from .. import model as m
from .fault import blame

OPS = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
	">=": operator.ge}


def value(x, node):
	"""An operand over the fields of one payload."""
	if isinstance(x, m.Const):
		return x.value
	if isinstance(x, m.FieldRef):
		return node.values[x.field.name]
	if isinstance(x, m.Len):
		return len(node.values[x.field.name])
	return node.params[x.name]


def each_value(x, node):
	return [value(i, node) for i in (x if isinstance(x, list) else [x])]


def holds(e, node):
	if isinstance(e, m.And):
		return all(holds(i, node) for i in e.items)
	if isinstance(e, m.In):
		return any(each_value(e.left, node) == each_value(c, node) for c in e.choices)
	if isinstance(e, m.Compare):
		return OPS[e.op](value(e.left, node), value(e.right, node))
	return bool(value(e, node))


def subject(e, node):
	"""(operand to blame, what it should have been) of a condition that does not hold."""
	if isinstance(e, m.And):
		return subject(next(i for i in e.items if not holds(i, node)), node)
	if isinstance(e, m.Compare):
		return e.left, e.right
	if not isinstance(e, m.In):
		return e, m.Const(1, "1")
	if not isinstance(e.left, list):
		return e.left, e.choices[0]
	# The first item that no choice has at its place, else the last.
	for i, item in enumerate(e.left):
		if i == len(e.left) - 1 or not any(value(c[i], node) == value(item, node) for c in e.choices):
			return item, e.choices[0][i]
	return None


def refuse(reason, e, node, where, notify):
	"""Raise the fault of a condition that does not hold."""
	got, want = subject(e, node)
	field = got.field if isinstance(got, (m.FieldRef, m.Len)) else None
	blame(reason, notify or (field.notify if field and reason == "rule_broken" else None), where,
		field.name if field else got.name, node.places[field.name] if field else node.start,
		value(got, node), value(want, node))


def parts(e):
	return e.items if isinstance(e, m.And) else [e]
