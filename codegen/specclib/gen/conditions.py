"""Conditions of the spec (`require`, `where`) as C expressions.

A Scope says what the names in a condition are in C; struct_scope() is the one of the fields of a
payload.  The generator of messages makes its own for ROLE.field, count(), has() and each()."""

from dataclasses import dataclass
from typing import Any, Optional

from .. import ast
from .cwriter import cnum, upper
from .layout import Layout


@dataclass
class Value:
	"""A C expression, and the registry or bits whose symbols may stand against it."""
	c: str
	kind: Any = None		# ast.Registry or ast.Bits
	field: str = ''			# what a fault calls it
	at: Optional[str] = None	# C expression of its offset, when it is known


class Scope:
	"""What the names of a condition mean.  Each method gives a Value or raises KeyError."""

	def path(self, names):
		raise KeyError('.'.join(names))

	def call(self, fn, args):
		raise KeyError(fn)


class StructScope(Scope):
	"""Fields of one payload: `prefix` is the C of access, as 'out->'."""

	def __init__(self, r, struct, prefix, base='offset'):
		self.r, self.struct, self.prefix, self.base = r, struct, prefix, base
		self.layout = Layout(r, struct)

	def slot(self, name):
		slot = self.layout.slot(name)
		if slot is None:
			raise KeyError(name)
		return slot

	def where(self, slot):
		"""The offset of a slot; that of a part of varying place follows from its pointer."""
		known = slot.at(self.base)
		if known is None and slot.kind in ('bytes', 'attributes', 'nested', 'slices'):
			return '%s + (uint32_t)(%s%s.p - %swhole.p)' % (self.base, self.prefix, slot.c, self.prefix)
		return known or self.base

	def path(self, names):
		if len(names) == 1 and names[0] in self.layout.params:
			return Value(names[0], self.r.type_of_name(self.struct, names[0]), names[0], self.base)
		if len(names) != 1:
			raise KeyError('.'.join(names))
		slot = self.slot(names[0])
		return Value(self.prefix + slot.c, slot.registry, slot.name, self.where(slot))

	def call(self, fn, args):
		slot = self.slot(args[0].names[0].text)
		if fn == 'len':
			return Value('%s%s.n' % (self.prefix, slot.c), None, slot.name, self.where(slot))
		if fn == 'count':
			return Value('%s%s' % (self.prefix, self.layout.count_member(slot)), None, slot.name,
				self.where(slot))
		raise KeyError(fn)


def struct_scope(r, struct, prefix, base='offset'):
	return StructScope(r, struct, prefix, base)


def value(expr, scope, against=None):
	"""The Value of an operand.  A lone word that is no field is a symbol of what it stands against."""
	if isinstance(expr, (ast.Literal, ast.Num)):
		return Value(cnum(expr.value))
	if isinstance(expr, ast.Call):
		return scope.call(expr.fn.text, expr.args)
	names = [expr.text] if isinstance(expr, ast.Name) else [n.text for n in expr.names]
	kind = against.kind if against else None
	if len(names) == 1 and kind is not None and \
			any(e.symbol is not None and e.symbol.text == names[0] for e in kind.entries):
		return Value(upper(kind.name, names[0]))
	return scope.path(names)


def pair(left, right, scope):
	"""Both operands of a comparison; a symbol takes its meaning from the other side."""
	try:
		a = value(left, scope)
		return a, value(right, scope, a)
	except KeyError:
		b = value(right, scope)
		return value(left, scope, b), b


def equals(left, choice, scope):
	"""left == choice, item by item when they are tuples."""
	if isinstance(left, ast.TupleExpr):
		return ' && '.join(equals(a, b, scope) for a, b in zip(left.items, choice.items))
	a, b = pair(left, choice, scope)
	return '%s == %s' % (a.c, b.c)


def condition(expr, scope):
	"""The C expression that is true when the condition holds."""
	if isinstance(expr, ast.And):
		return ' && '.join(group(e, scope) for e in expr.items)
	if isinstance(expr, ast.In):
		parts = [equals(expr.left, choice, scope) for choice in expr.choices]
		if len(parts) == 1:
			return parts[0]
		return ' || '.join('(%s)' % p if ' && ' in p else p for p in parts)
	if isinstance(expr, ast.Compare):
		a, b = pair(expr.left, expr.right, scope)
		return '%s %s %s' % (a.c, expr.op, b.c)
	return value(expr, scope).c


def group(expr, scope):
	text = condition(expr, scope)
	return '(%s)' % text if ' || ' in text else text


def negation(expr, scope):
	"""The C expression that is true when the condition fails."""
	flip = {'==': '!=', '!=': '==', '<': '>=', '<=': '>', '>': '<=', '>=': '<'}
	if isinstance(expr, ast.Compare):
		a, b = pair(expr.left, expr.right, scope)
		return '%s %s %s' % (a.c, flip[expr.op], b.c)
	return '!(%s)' % condition(expr, scope)


def subject(expr, scope):
	"""What a broken condition is blamed on: (Value got, C expression wanted)."""
	if isinstance(expr, ast.And):
		return subject(expr.items[0], scope)
	if isinstance(expr, ast.In):
		left, choice = expr.left, expr.choices[0]
		if isinstance(left, ast.TupleExpr):
			left, choice = left.items[0], choice.items[0]
		a, b = pair(left, choice, scope)
		return a, b.c
	if isinstance(expr, ast.Compare):
		a, b = pair(expr.left, expr.right, scope)
		return a, b.c
	return value(expr, scope), '1'
