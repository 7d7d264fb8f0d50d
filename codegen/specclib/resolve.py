"""Builds the Model from the syntax tree: looks every name up and reports the unknown ones (phase `names`)."""

from . import model as m
from .conditions import Conditions
from .diag import did_you_mean
from .parse_base import INTS
from .resolve_exchange import ExchangeResolver
from .resolve_policy import PolicyResolver


class Resolver(ExchangeResolver, PolicyResolver):
	def __init__(self, spec, diags):
		self.spec = spec
		self.diags = diags
		self.model = m.Model(spec, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, [], [], {}, {}, {}, {}, [], {}, {}, {},
			spec_dict(spec.limits), spec_dict(spec.timers), {}, {p.name.text: p for p in spec.protocols},
			list(spec.options), list(spec.forms), list(spec.vendors))
		self.conditions = Conditions(self)

	def undef(self, what, name, known, hint=None):
		self.diags.error("undef", "unknown %s '%s'" % (what, name.text), name.loc,
			hint=hint or did_you_mean(name.text, known))

	def lookup(self, what, name, table):
		"""The entry of table, or None with a report."""
		if name.text in table:
			return table[name.text]
		self.undef(what, name, table)
		return None

	def run(self):
		self.algorithms()
		for r in self.spec.registries:
			self.registry(r)
		for r in self.spec.registries:
			self.registry_notify(r)
			self.switch(r)
		for b in self.spec.bits:
			self.bitset(b)
		self.attribute_tables()
		self.structs()
		self.exchanges()
		self.policy()
		return self.model

	# ---- registries

	def algorithms(self):
		for a in self.spec.algorithms:
			self.model.algorithms[a.name.text] = m.Algorithm(a.name.text, a.kind.text, {},
				a.clauses.citation(), a.doc, a)
		for a in self.spec.algorithms:
			made = self.model.algorithms[a.name.text]
			for prop, values in a.properties:
				got = []
				for v in values:
					if hasattr(v, "value"):
						got.append(v.value)
					else:
						other = self.lookup("algorithm", v, self.model.algorithms)
						if other is not None:
							got.append(other)
				if got:
					made.properties[prop.text] = got

	def registry(self, r):
		prefix = r.clauses.prefix.text if r.clauses.prefix else ""
		made = m.Registry(r.name.text, INTS[r.int_type.text], r.clauses.closed, prefix, None, [],
			r.clauses.citation(), r.doc, r)
		for e in sorted(r.entries, key=lambda e: e.lo):
			symbol = e.symbol.text if e.symbol else None
			algorithm = self.lookup("algorithm", e.is_, self.model.algorithms) if e.is_ else None
			entry = m.RegistryEntry(e.lo, e.hi, e.kind, symbol,
				(e.logged or prefix + symbol) if symbol else None, e.text, e.words, algorithm,
				tuple(a.value for a in e.aliases), e.clauses.citation(), e)
			made.entries.append(entry)
			if symbol:
				made.by_symbol.setdefault(symbol, entry)
		self.model.registries[made.name] = made

	def notify(self, name):
		if name is None:
			return None
		registry = self.model.registries.get(m.NOTIFIES)
		entry = registry.by_symbol.get(name.text) if registry else None
		if entry is None:
			self.undef("notify type", name, registry.by_symbol if registry else (),
				None if registry else "declare registry %s" % m.NOTIFIES)
			return None
		return m.Notify(name.text, entry.lo)

	def registry_notify(self, r):
		self.model.registries[r.name.text].notify = self.notify(r.clauses.else_)

	def switch(self, r):
		if r.switch is None:
			return
		made = self.model.registries[r.name.text]
		made.switch = r.switch.text
		protocols = self.model.registries.get(m.PROTOCOLS)
		if protocols is None:
			self.undef("registry", r.switch, (), "a switch needs the registry %s" % m.PROTOCOLS)
			return
		switch = self.model.switches.setdefault(r.switch.text, m.Switch(r.switch.text, protocols, {}))
		for v in r.switch_values:
			entry = self.lookup("value of %s" % m.PROTOCOLS, v, protocols.by_symbol)
			if entry is None:
				continue
			if entry.lo in switch.branches:
				self.diags.error("dup", "%s[%s] has two registries" % (switch.name, v.text), v.loc,
					notes=[("the other one", switch.branches[entry.lo].decl.name.loc)])
			switch.branches.setdefault(entry.lo, made)

	def bitset(self, b):
		made = m.Bits(b.name.text, INTS[b.int_type.text], b.clauses.prefix.text if b.clauses.prefix else "",
			self.notify(b.clauses.else_), list(b.entries), b.clauses.citation(), b.doc, b)
		for e in b.entries:
			made.by_symbol.setdefault(e.symbol.text, e.bit)
		self.model.bits[made.name] = made

	def symbol(self, name, registry):
		"""The value of a symbol of registry, or None with a report."""
		entry = registry.by_symbol.get(name.text)
		if entry is None:
			self.undef("value", name, registry.by_symbol,
				did_you_mean(name.text, registry.by_symbol) or "the values are those of registry '%s'"
				% registry.name)
			return None
		return entry.lo

	# ---- attributes

	def attribute_tables(self):
		for a in self.spec.attributes:
			made = m.Attributes(a.name.text, [], [], a.clauses.citation(), a)
			protocols = self.model.registries.get(m.PROTOCOLS)
			for p in a.protocols:
				value = self.symbol(p, protocols) if protocols else self.undef("protocol", p, ())
				if value is not None:
					made.protocols.append(value)
					self.model.attributes_for.setdefault(value, made)
			for e in sorted(a.entries, key=lambda e: e.number.value):
				entry = self.attribute(a, e)
				made.entries.append(entry)
				made.by_name.setdefault(entry.name, entry)
			self.model.attributes[made.name] = made

	def attribute(self, table, e):
		kind, bits, low, high, registry = "uint", 16, 2, 2, None
		if e.type.kind == "int":
			bits = INTS[e.type.name.text]
		elif e.type.kind == "named":
			registry = self.lookup("registry", e.type.name, self.model.registries)
			bits = registry.bits if registry else 16
		elif e.type.kind in ("uint", "bytes"):
			kind, low, high = e.type.kind, *dim_bounds(e.type.dim)
			bits = 0
		if e.after is not None and e.after.text not in [x.name.text for x in table.entries]:
			self.undef("attribute", e.after, [x.name.text for x in table.entries])
		return m.Attribute(e.number.value, e.name.text, e.basic, e.tlv, e.repeat, e.step.value if e.step else 1, registry, kind, bits, low, high,
			e.after.text if e.after else None, e.text, e.clauses.citation(), e)

	# ---- structs

	def structs(self):
		by_name = {}
		for s in self.spec.structs:
			by_name.setdefault(s.name.text, s)
		self.by_name = by_name
		numbers = self.model.registries.get(m.PAYLOADS)
		for s in by_name.values():
			number = numbers.by_symbol.get(s.name.text) if numbers and s.kind == "payload" else None
			made = m.Struct(s.name.text, s.kind, number.lo if number else None, s.clauses.nested, [], None, [],
				[], None, s.clauses.citation(), s.doc, s, number.text if number else "")
			for p in s.params:
				registry = self.lookup("registry", p.type, self.model.registries)
				if registry is not None:
					made.params.append((p.name.text, registry))
			self.model.structs[made.name] = made
		done = {}
		for s in by_name.values():
			self.struct_fields(s, done)
		for _ in self.model.structs:	# the smallest size of a list needs that of its elements
			before = [s.min_size for s in self.model.structs.values()]
			for s in self.model.structs.values():
				place_fields(s)
			if before == [s.min_size for s in self.model.structs.values()]:
				break
		payloads = [s for s in self.model.structs.values() if s.kind == "payload"]
		for s in sorted(payloads, key=lambda s: -1 if s.number is None else s.number):
			self.model.payloads[s.name] = s

	def struct_fields(self, s, done):
		if s.name.text in done:
			if done[s.name.text] is None:
				self.diags.error("undef", "struct '%s' is its own base" % s.name.text, s.name.loc)
			return
		done[s.name.text] = None
		made = self.model.structs[s.name.text]
		made.notify = self.notify(s.clauses.else_)
		if s.base is not None:
			base = self.by_name.get(s.base.text)
			if base is None:
				self.undef("struct", s.base, self.by_name)
			else:
				self.struct_fields(base, done)
				made.base = self.model.structs[s.base.text]
				made.notify = made.notify or made.base.notify
				made.fields = [inherit(f, made) for f in made.base.fields]
		for f in s.fields:
			made.fields.append(self.field(made, f))
		self.link_fields(made)
		for r in s.requires:
			self.conditions.require(made, r)
		done[s.name.text] = made

	def field(self, struct, f):
		made = m.Field(f.name.text, "uint", f, struct, lax=f.lax, chain=f.chain)
		t = f.type
		if t.kind == "int":
			made.bits = INTS[t.name.text]
		elif t.kind == "bytes":
			made.kind = "bytes"
			self.dimension(made, t.dim)
		elif t.kind == "zero":
			made.kind = "zero"
			self.dimension(made, t.dim)
		elif t.kind == "slices":
			made.kind = "slices"
			made.slice_size = t.size.field.text if t.size.field else None
			made.min, made.max = dim_bounds(t.dim)
		elif t.kind == "attribute":
			made.kind, made.table = "attributes", self.model.attributes.get(t.arg.text)
			if made.table is None or made.table.protocols:
				made.selector, made.table = t.arg.text, None
			made.min, made.max = dim_bounds(t.dim)
		elif t.kind == "uint":
			made.kind = "bytes"
			self.dimension(made, t.dim)
		else:
			self.named_type(made, t)
		if f.constraint is not None:
			self.constraint(made, f.constraint)
		made.notify = self.notify(f.else_)
		if made.notify is None:
			source = made.registry or made.bitset
			made.notify = (source.notify if source else None) or struct.notify
		return made

	def dimension(self, made, dim):
		made.fixed = dim.kind == "fixed"
		made.length_field = dim.field.text if dim.field else None
		made.min, made.max = dim_bounds(dim)

	def named_type(self, made, t):
		model, name = self.model, t.name.text
		if name in self.by_name and t.dim is not None:
			made.kind, made.element = "structs", model.structs[name]
			made.selector = t.arg.text if t.arg else None
			made.min, made.max = dim_bounds(t.dim)
			if t.dim.kind == "field":
				made.length_field = t.dim.field.text
			if t.arg is None and made.element.decl.params:
				self.diags.error("undef", "'%s' needs its parameter '%s'" % (name,
					made.element.decl.params[0].name.text), t.loc,
					hint="write %s(FIELD)[..]" % name)
		elif name in model.registries and t.dim is None:
			made.registry = model.registries[name]
			made.bits = made.registry.bits
		elif name in model.bits and t.dim is None:
			made.bitset = model.bits[name]
			made.bits = made.bitset.bits
		elif name in model.switches and t.dim is not None and t.dim.kind == "field":
			made.switch = model.switches[name]
			made.selector = t.dim.field.text
			made.bits = max(r.bits for r in made.switch.branches.values())
		else:
			known = list(INTS) + ["bytes", "zero", "attribute"] + list(model.registries) + list(model.bits) \
				+ list(model.switches) + list(self.by_name)
			self.undef("type", t.name, known)
			made.bits = 8

	def constraint(self, made, c):
		made.constraint = c.kind
		if c.kind == "count":
			made.counts = c.values[0].text
			return
		if c.kind == "bits" and made.bitset is None:
			return	# the check of layouts says so
		values, names = [], []
		for v in c.values:
			if hasattr(v, "value"):
				values.append(v.value)
				names.append(str(v.value))
			elif made.bitset is not None:
				bit = self.lookup("bit", v, made.bitset.by_symbol)
				values.append(1 << bit if bit is not None else 0)
				names.append(v.text)
			elif made.registry is not None:
				value = self.symbol(v, made.registry)
				values.append(0 if value is None else value)
				names.append(v.text)
			else:
				self.undef("value", v, (), "'%s' has no registry: write a number" % made.name)
		if c.kind == "bits" or (made.bitset is not None and c.kind == "const"):
			values = [sum(set(values))]
		made.values, made.value_names = tuple(values), tuple(names)

	def link_fields(self, struct):
		"""Looks up the fields that other fields name, and marks those that give a length."""
		names = [f.name for f in struct.fields] + [n for n, _ in struct.params]
		sized = {}
		for f in struct.fields:
			if f.inherited:
				continue
			t = f.decl.type
			for dim in (t.dim, t.size):
				if dim is not None and dim.field is not None and f.switch is None:
					self.one_field(struct, dim.field, names)
					sized.setdefault(dim.field.text, []).append(f.name)
			if f.selector is not None:
				arg = t.arg if t.arg is not None else t.dim.field
				self.one_field(struct, arg, names)
			if f.counts is not None:
				self.one_field(struct, f.decl.constraint.values[0], names)
		for name, users in sized.items():
			f = struct.field(name)
			if f is not None:
				f.sizes = tuple(users)

	def one_field(self, struct, name, names):
		if name.text not in names:
			self.undef("field", name, names)


def spec_dict(decls):
	found = {}
	for d in decls:
		found.setdefault(d.name.text, d)
	return found


def dim_bounds(dim):
	if dim is None or dim.kind == "empty":
		return 0, None
	if dim.kind == "fixed":
		return dim.size, dim.size
	if dim.kind == "field":
		return 0, None
	return dim.min, dim.max


def inherit(f, struct):
	copy = m.Field(**{k: getattr(f, k) for k in f.__dataclass_fields__})
	copy.inherited = True
	copy.struct_of = struct
	return copy


def place_fields(struct):
	"""Gives each field its offset as long as that is fixed, and the struct its smallest size."""
	at, bits = 0, 0
	for f in struct.fields:
		f.offset = at
		size = fixed_bits(f)
		bits += size if size is not None else least_octets(f) * 8
		at = None if at is None or size is None else at + size
	struct.min_size = (bits + 7) // 8


def fixed_bits(f):
	if f.kind == "uint":
		return f.bits
	return f.min * 8 if f.fixed else None


def least_octets(f):
	if f.kind == "bytes" and f.length_field is None:
		return f.min
	if f.kind == "structs" and f.element is not None and f.length_field is None:
		return f.min * f.element.min_size
	return 0


def resolve(spec, diags):
	return Resolver(spec, diags).run()
