"""What the outputs ask of the declarations: names to declarations, symbols to C constants."""

from .cwriter import upper, cname

INT_BITS = {'u4': 4, 'u8': 8, 'u16': 16, 'u32': 32, 'u64': 64}
C_INT = {4: 'uint8_t', 8: 'uint8_t', 16: 'uint16_t', 32: 'uint32_t', 64: 'uint64_t'}
NOTIFIES = 'notify_type'	# the registry that "else" and "notify" name symbols of
STATUSES = 'whack_status'	# the registry that "status" names symbols of


def spec_of(model):
	"""The syntax tree behind a model; a tree is its own model."""
	return getattr(model, 'spec', model)


def cite(decl, clauses=None):
	"""'RFC 2408 3.4 (spec/isakmp.spec:77)': where a declaration comes from."""
	citation = (clauses or decl.clauses).citation()
	place = '%s:%d' % (decl.loc.file, decl.loc.line)
	return '%s (%s)' % (citation, place) if citation else '(%s)' % place


class Resolver:
	"""Read-only look-ups in one specification."""

	def __init__(self, model):
		self.spec = spec = spec_of(model)
		self.registries = {r.name.text: r for r in spec.registries}
		self.bits = {b.name.text: b for b in spec.bits}
		self.structs = {s.name.text: s for s in spec.structs}
		self.bases = {s.base.text for s in spec.structs if s.base}
		self.limits = {l.name.text.lower(): l for l in spec.limits}
		self.switches = {}
		for r in spec.registries:
			if r.switch:
				self.switches.setdefault(r.switch.text, []).append(r)

	# ---- symbols

	def symbol(self, kind, name):
		"""The C constant of a symbol of a registry or of a flag of bits."""
		return upper(kind.name, name)

	def notify(self, *names):
		"""The first of the notifies that is given, as a C constant; '0' = none."""
		for name in names:
			if name is not None and name.text != '-':
				return upper(NOTIFIES, name) if NOTIFIES in self.registries else '0'
		return '0'

	def status(self, name):
		return upper(STATUSES, name) if name is not None and STATUSES in self.registries else '0'

	def selector(self, switch):
		"""The registry whose symbols a switch, or the attribute tables, are selected by."""
		alone = [t.name.text for t in self.spec.attributes if not t.protocols]
		for s in self.spec.structs:
			for f in s.fields:
				hit = f.type.kind == 'attribute' and f.type.arg.text not in alone if switch is None else \
					f.type.name is not None and f.type.name.text == switch
				if hit:
					return self.type_of_name(s, self.argument(f.type))
		return None

	@staticmethod
	def argument(t):
		"""The field or parameter in the brackets of a type: T(protocol), transform_id[protocol]."""
		if t.arg is not None:
			return t.arg.text
		return t.dim.field.text if t.dim is not None and t.dim.kind == 'field' else None

	def type_of_name(self, struct, name):
		"""The registry or bits behind a field or parameter of a struct, or None."""
		for p in struct.params:
			if p.name.text == name:
				return self.registries.get(p.type.text) or self.bits.get(p.type.text)
		for f in self.fields(struct):
			if f.name.text == name and f.type.name is not None:
				return self.registries.get(f.type.name.text) or self.bits.get(f.type.name.text)
		return None

	def selected(self, selector, symbol):
		"""A case label: the constant of a symbol that selects."""
		return upper(selector.name, symbol) if selector else str(symbol)

	# ---- structs

	def fields(self, struct):
		"""All fields, those of the base first."""
		base = self.structs[struct.base.text].fields if struct.base else ()
		return tuple(base) + tuple(struct.fields)

	def payloads(self):
		return [s for s in self.spec.structs if s.kind == 'payload']

	def message_header(self):
		"""The struct that says how long the whole message is, or None."""
		for s in self.spec.structs:
			if s.kind == 'struct' and any(f.constraint and f.constraint.kind == 'size_message'
					for f in s.fields):
				return s
		return None

	def limit(self, name):
		"""LIMIT_NAME when the specification has that limit, else None."""
		return upper('LIMIT', name) if name.lower() in self.limits else None

	def payload_registry(self):
		"""The registry of payload types: the type of the fields that chain payloads."""
		for s in self.spec.structs:
			for f in s.fields:
				if f.chain and f.type.name is not None and f.type.name.text in self.registries:
					return self.registries[f.type.name.text]
		return None

	def payload_entry(self, struct):
		"""The number of a payload: the entry of its own name in the registry of payload types."""
		registry = self.payload_registry()
		for e in registry.entries if registry else ():
			if e.symbol is not None and e.symbol.text == struct.name.text:
				return e
		return None

	def payload_type(self, name):
		registry = self.payload_registry()
		return upper(registry.name, name)


def struct_type(struct):
	"""struct payload_SA for a payload, struct header for a struct."""
	return 'struct %s%s' % ('payload_' if struct.kind == 'payload' else '', struct.name)


__all__ = ['INT_BITS', 'C_INT', 'Resolver', 'cite', 'cname', 'spec_of', 'struct_type', 'upper']
