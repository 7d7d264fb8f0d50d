"""A valid example of every payload and message, found from their declarations alone."""

from .. import model as m
from . import conditions
from .payload import Node
from .write import tlv, tv


def pattern(n, salt=0):
	"""Octets that are not all alike, so that a shifted read shows."""
	return bytes((salt * 37 + i * 11 + 1) & 0xff for i in range(n))


class Samples:
	def __init__(self, model):
		self.model = model
		self.with_all = set()	# attributes (Attribute) that every transform carries

	# ---- payloads

	def payload(self, struct, fixed=None, params=None):
		"""Values of a valid payload; `fixed` holds those that are given."""
		values = dict(fixed or {})
		for f in struct.fields:
			if f.name not in values and not f.derived:
				values[f.name] = self.field(struct, f, values, params or {})
		for r in struct.requires:
			self.satisfy(struct, r, values, params or {}, fixed or {})
		return values

	def field(self, struct, f, values, params):
		if f.kind == "uint":
			return self.number(f, {**params, **values})
		if f.kind == "bytes":
			return pattern(f.min if f.fixed or f.min else 4 if f.max is None else min(4, f.max), len(f.name))
		if f.kind == "slices":
			return [pattern(4, i) for i in range(max(f.min, 1))]
		if f.kind == "structs":
			inner = {f.element.params[0][0]: values.get(f.selector, params.get(f.selector))} \
				if f.selector is not None else {}
			return [self.payload(f.element, {}, inner) for _ in range(max(f.min, 1))]
		if f.table is not None:
			return [self.attribute(e) for e in f.table.entries[:1]]
		if f.kind == "attributes":
			return self.attributes(values.get(f.selector, params.get(f.selector)))
		return bytes(f.min)

	def number(self, f, known):
		if f.constraint in ("range", "oneof"):
			return f.values[0]
		if f.constraint == "nonzero":
			return 1
		registry = f.registry
		if f.switch is not None:
			registry = f.switch.branches[known[f.selector]]
		if registry is not None and registry.name == m.PROTOCOLS:
			return self.protocols()[1]
		if registry is not None:
			return next(e.lo for e in registry.entries if e.kind == "named")
		return 0

	def attributes(self, protocol):
		"""Those of the first suite of the protocol, with a lifetime and what every transform must carry."""
		found = []
		suite = next((s for s in self.model.suites.values() if s.protocol == protocol), None)
		cells = list(suite.rows[0].cells) if suite else []
		have = {number for number, _ in cells}
		cells += [(a[protocol].number, 14) for a in self.with_all
			if protocol in a and a[protocol].number not in have]
		table = self.model.attributes_for.get(protocol)
		known = {e.number: e for e in table.entries} if table else {}
		for number, value in sorted(cells):
			found.append(tv(number, value) if known[number].basic or value < 65536
				else tlv(number, value.to_bytes(4, "big")))
		for e in known.values():
			if e.after is not None:
				found += [tv(table.by_name[e.after].number, 1), tlv(e.number, (86400).to_bytes(4, "big"))]
		return found

	@staticmethod
	def attribute(e):
		"""One valid attribute."""
		return tv(e.number, 1) if e.basic or e.kind == "uint" else tlv(e.number, pattern(e.max or max(e.min, e.step)))

	# ---- conditions

	def satisfy(self, struct, r, values, params, fixed):
		node = Node(struct, 0, 0, params)
		node.values = {**{f.name: self.derived(struct, f, values) for f in struct.fields}, **values}
		if conditions.holds(r.cond, node) and not conditions.holds(r.then, node):
			self.force(struct, r.then, values)

	@staticmethod
	def derived(struct, f, values):
		for name in f.sizes:
			v = values.get(name, b"")
			return (len(v[0]) if v else 0) if struct.field(name).kind == "slices" else len(v)
		return f.values[0] if f.constraint in ("const", "bits") else 0

	def force(self, struct, e, values):
		"""Change values so that a condition holds."""
		for part in conditions.parts(e):
			if isinstance(part, m.In) and isinstance(part.left, list):
				for left, right in zip(part.left, part.choices[0]):
					self.put(struct, left, right.value, values)
			elif isinstance(part, m.In):
				self.put(struct, part.left, part.choices[0].value, values)
			elif isinstance(part, m.Compare) and part.op in ("==", ">=", "<="):
				self.put(struct, part.left, part.right.value, values)

	@staticmethod
	def put(struct, left, value, values):
		f = left.field
		if isinstance(left, m.Len):
			values[f.name] = pattern(value, len(f.name))
			return
		for name in f.sizes:
			values[name] = [pattern(value, 1)] if struct.field(name).kind == "slices" else pattern(value, 1)
			return
		values[f.name] = value

	# ---- messages

	def slot(self, message, name):
		"""(Struct, values) for a slot, or for a tolerated payload by its name."""
		slot = message.slot(name)
		struct = slot.payload if slot else self.model.payloads[name]
		fixed = {}
		if slot is not None and slot.role is not None and slot.role.where is not None:
			self.force(struct, slot.role.where, fixed)
		protocol = self.protocol(message)
		for f in struct.fields:
			if f.kind == "structs" and f.element.field("protocol") is not None:
				fixed[f.name] = [self.payload(f.element, {"protocol": protocol})]
		return struct, self.payload(struct, fixed)

	def protocols(self):
		"""(protocol of the suites for phase 1, of the first suite for phase 2)."""
		registry = self.model.registries[m.PROTOCOLS]
		first = next(e.lo for e in registry.entries if e.kind == "named")
		return first, next((s.protocol for s in self.model.suites.values() if s.protocol != first), first)

	def protocol(self, message):
		"""What the exchange negotiates."""
		machines = [k for k in self.model.machines.values() if k.messages is message.messages]
		return self.protocols()[0 if machines and machines[0].phase == 1 else 1]

	def payloads(self, message, shape, slots):
		"""[(Struct, values)] for the slots of one shape, so that its "where" holds."""
		self.with_all = set()
		for part in conditions.parts(shape.where) if shape.where is not None else ():
			sides = (part.left, part.right)
			each = next((s for s in sides if isinstance(s, m.Each)), None)
			has = next((s for s in sides if isinstance(s, m.Has)), None)
			if each is not None and has is not None and has.slot in slots:
				self.with_all = {_Frozen(each.attribute)}
		made = [self.slot(message, name) for name in slots]
		self.with_all = set()
		return made

	def header(self, message):
		flags = self.model.bits["header_flags"].by_symbol["ENCRYPTION"]
		begins = message.messages.msgid == "zero" and any(k.initiate is not None
			and k.initiate.send is message for k in self.model.machines.values())
		responder = bytes(8) if begins else pattern(8, 5)
		return {"icookie": pattern(8, 2), "rcookie": responder, "xchg": message.messages.exchange,
			"flags": 1 << flags if message.protection == "encrypted" else 0,
			"msgid": 0 if message.messages.msgid == "zero" else 0x12345678}


class _Frozen(dict):
	"""A dict that can stand in a set."""

	def __hash__(self):
		return id(self)
