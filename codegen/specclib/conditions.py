"""Resolves conditions: `require` in structs, `where` of roles, `where` of messages."""

from . import ast
from . import model as m
from .ast import Name


class Conditions:
	def __init__(self, resolver):
		self.r = resolver

	# ---- over the fields of one struct

	def require(self, struct, r):
		made = m.Require(self.of_struct(struct, r.cond), self.of_struct(struct, r.then),
			self.r.notify(r.else_) or struct.notify, "%s -> %s" % (spell(r.cond), spell(r.then)), r)
		if made.cond is not None and made.then is not None:
			struct.requires.append(made)

	def of_struct(self, struct, e):
		"""A condition over fields; None when a name is unknown (it was reported)."""
		return self.build(e, lambda x, registry: self.struct_leaf(struct, x, registry))

	def struct_leaf(self, struct, x, registry):
		if isinstance(x, ast.Call):
			if x.fn.text != "len" or len(x.args) != 1 or not isinstance(x.args[0], ast.Path):
				self.r.undef("function", x.fn, ("len",), "here only len(FIELD) is known")
				return None
			f = self.struct_field(struct, x.args[0].names[0])
			return m.Len(f) if f else None
		name = x.names[0]
		f = struct.field(name.text)
		if f is not None and len(x.names) == 1:
			return m.FieldRef(f)
		for param, reg in struct.params:
			if param == name.text:
				return m.Param(param, reg)
		if registry is not None:
			value = self.r.symbol(name, registry)
			return None if value is None else m.Const(value, name.text)
		self.r.undef("field", name, [f.name for f in struct.fields])
		return None

	def struct_field(self, struct, name):
		f = struct.field(name.text)
		if f is None:
			self.r.undef("field", name, [f.name for f in struct.fields])
		return f

	# ---- over the slots of one message

	def of_message(self, message, e):
		return self.build(e, lambda x, registry: self.message_leaf(message, x))

	def message_leaf(self, message, x):
		if isinstance(x, ast.Path):
			self.r.undef("condition on", x.names[0], (), "use count(), has(), each() or len()")
			return None
		fn = x.fn.text
		if fn not in ("count", "has", "each"):
			self.r.undef("function", x.fn, ("count", "has", "each"))
			return None
		if not isinstance(x.args[0], ast.Path):
			self.r.undef("payload", Name(spell(x.args[0]), x.loc), ())
			return None
		names = x.args[0].names
		slot = next((s for s in message.slots if s.name == names[0].text), None) or next(
			(s for s in message.slots if s.payload.name == names[0].text), None)
		if slot is None:
			known = self.r.model.roles
			if fn == "has" and (names[0].text in known or names[0].text in self.r.model.payloads):
				return m.Has(names[0].text)
			self.r.undef("payload", names[0], [s.name for s in message.slots])
			return None
		if fn == "has":
			return m.Has(slot.name)
		path, struct = [], slot.payload
		for n in names[1:]:
			f = self.path_step(struct, n, fn)
			if f is None:
				return None
			path += f
			struct = f[-1].element
		if fn == "count":
			return m.Count(slot.name, path)
		return self.each(slot, path, x)

	def path_step(self, struct, name, fn):
		"""The fields from struct to `name`; each() may leave out the levels between."""
		f = struct.field(name.text) if struct else None
		if f is not None and f.kind in ("structs", "slices"):
			return [f]
		for outer in struct.fields if struct else ():
			if outer.kind == "structs" and outer.element is not None:
				deeper = outer.element.field(name.text)
				if deeper is not None and fn == "each" and deeper.kind == "structs":
					return [outer, deeper]
		self.r.undef("list", name, [f.name for f in struct.fields if f.kind in ("structs", "slices")]
			if struct else ())
		return None

	def each(self, slot, path, x):
		attribute = x.args[1] if len(x.args) == 2 else None
		if not isinstance(attribute, ast.Path) or not path:
			self.r.undef("arguments of", x.fn, (), "write each(PAYLOAD.list, ATTRIBUTE)")
			return None
		name = attribute.names[0]
		found = {p: t.by_name[name.text] for p, t in self.r.model.attributes_for.items()
			if name.text in t.by_name}
		if not found:
			known = [n for t in self.r.model.attributes.values() for n in t.by_name]
			self.r.undef("attribute", name, known)
			return None
		return m.Each(slot.name, path, found, spell(x))

	# ---- what they share

	def build(self, e, leaf):
		if isinstance(e, ast.And):
			items = [self.build(i, leaf) for i in e.items]
			return None if None in items else m.And(items)
		if isinstance(e, ast.Compare):
			left = self.operand(e.left, leaf, None)
			right = self.operand(e.right, leaf, registry_of(left)) if left is not None else None
			return None if right is None else m.Compare(e.op, left, right)
		if isinstance(e, ast.In):
			return self.membership(e, leaf)
		return self.operand(e, leaf, None)

	def membership(self, e, leaf):
		if isinstance(e.left, ast.TupleExpr):
			left = [self.operand(i, leaf, None) for i in e.left.items]
			choices = []
			for c in e.choices:
				items = c.items if isinstance(c, ast.TupleExpr) else (c,)
				if len(items) != len(left):
					self.r.diags.error("undef", "%d values are compared with %d" % (len(left), len(items)),
						c.loc)
					return None
				choices.append([self.operand(i, leaf, registry_of(l)) for i, l in zip(items, left)])
			bad = None in left or any(None in c for c in choices)
			return None if bad else m.In(left, choices)
		left = self.operand(e.left, leaf, None)
		if left is None:
			return None
		choices = [self.operand(c, leaf, registry_of(left)) for c in e.choices]
		return None if None in choices else m.In(left, choices)

	def operand(self, e, leaf, registry):
		if isinstance(e, ast.Literal):
			return m.Const(e.value, str(e.value))
		if isinstance(e, (ast.Path, ast.Call)):
			return leaf(e, registry)
		self.r.diags.error("undef", "a value is expected here", e.loc)
		return None


def registry_of(x):
	if isinstance(x, m.FieldRef):
		return x.field.registry
	return x.registry if isinstance(x, m.Param) else None


def spell(e):
	"""A condition as text."""
	if isinstance(e, ast.And):
		return " and ".join(spell(i) for i in e.items)
	if isinstance(e, ast.Compare):
		return "%s %s %s" % (spell(e.left), e.op, spell(e.right))
	if isinstance(e, ast.In):
		return "%s in %s" % (spell(e.left), " | ".join(spell(c) for c in e.choices))
	if isinstance(e, ast.TupleExpr):
		return "(%s)" % ", ".join(spell(i) for i in e.items)
	if isinstance(e, ast.Call):
		return "%s(%s)" % (e.fn.text, ", ".join(spell(a) for a in e.args))
	return str(e.value) if isinstance(e, ast.Literal) else str(e)
