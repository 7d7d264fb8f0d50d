"""The layout of a struct or payload, field by field: what parser, emitter, printer and diagram share."""

from .resolve import C_INT, INT_BITS, cname

WIDE = 32		# bits in a row of a diagram


class Slot:
	"""One field: what it is in C and where it stands."""

	def __init__(self, r, struct, f):
		t = f.type
		self.f = f
		self.name = f.name.text
		self.c = cname(self.name)
		self.kind = None	# int bytes zero nested slices attributes
		self.bits = None	# of an int
		self.octets = None	# when the size is fixed (a u4: None)
		self.sizer = None	# name of the field that gives the size
		self.registry = None	# registry or bits of an int
		self.switch = None	# (switch, field or parameter that selects)
		self.target = None	# the nested payload
		self.arg = r.argument(t)
		self.dim = t.dim
		self.bit = None		# where it begins, in bits; None once a field before it varies
		self.own = False	# declared by the struct, not by its base
		self._classify(r, struct, t)

	def _classify(self, r, struct, t):
		name = t.name.text if t.name else None
		if t.kind not in ('int', 'bytes', 'zero', 'uint', 'attribute', 'slices') and name in r.structs:
			self.kind, self.target = 'nested', r.structs[name]
		elif t.kind == 'int':
			self.kind, self.bits = 'int', INT_BITS[name]
		elif name in r.switches:
			self.kind, self.switch = 'int', (name, self.arg)
			self.bits = INT_BITS[r.switches[name][0].int_type.text]
		elif name in r.registries or name in r.bits:
			self.kind = 'int'
			self.registry = r.registries.get(name) or r.bits[name]
			self.bits = INT_BITS[self.registry.int_type.text]
		elif t.kind == 'attribute':
			self.kind = 'attributes'
		else:
			self.kind = t.kind
		if self.kind == 'int' and self.bits >= 8:
			self.octets = self.bits // 8
		if self.kind in ('bytes', 'zero') and t.dim.kind == 'fixed':
			self.octets = t.dim.size
		if self.kind == 'bytes' and t.dim.kind == 'field':
			self.sizer = t.dim.field.text
		if self.kind == 'slices':
			self.sizer = t.size.field.text if t.size.kind == 'field' else None

	@property
	def ctype(self):
		return C_INT[self.bits]

	@property
	def constraint(self):
		return self.f.constraint.kind if self.f.constraint else None

	@property
	def fixed(self):
		"""Part of a run that is checked at once."""
		return self.octets is not None or self.bits == 4

	@property
	def low(self):
		"""Least and greatest size in octets or items of a part that takes the rest."""
		return self.dim.min if self.dim and self.dim.kind == 'range' else 0

	@property
	def high(self):
		return self.dim.max if self.dim and self.dim.kind == 'range' else None

	def at(self, base='offset'):
		"""The C expression of its offset, as far as it is known from the layout."""
		if self.bit is None:
			return None
		return base if self.bit == 0 else '%s + %d' % (base, self.bit // 8)


class Layout:
	"""All of a struct: its slots, base first, and the relations between them."""

	def __init__(self, r, struct):
		self.r = r
		self.struct = struct
		self.name = struct.name.text
		self.params = [p.name.text for p in struct.params]
		base = r.structs[struct.base.text].fields if struct.base else ()
		self.slots = [Slot(r, struct, f) for f in r.fields(struct)]
		for i, slot in enumerate(self.slots):
			slot.own = i >= len(base)
		bit = 0
		for slot in self.slots:
			slot.bit = bit
			if bit is not None:
				bit = bit + (slot.bits if slot.bits == 4 else slot.octets * 8) if slot.fixed else None
		self.sizers = {s.sizer: s for s in self.slots if s.sizer}
		self.counts = {s.f.constraint.values[0].text: s for s in self.slots if s.constraint == 'count'}
		self.base_octets = sum(s.bits for s in self.slots if not s.own and s.bits) // 8 \
			+ sum(s.octets for s in self.slots if not s.own and not s.bits and s.octets)

	def elses(self):
		"""The notifies for a fault in the payload as a whole, the nearest first."""
		size = self.of_constraint('size_self')
		base = self.r.structs[self.struct.base.text] if self.struct.base else None
		return (self.struct.clauses.else_, size.f.else_ if size else None,
			base.clauses.else_ if base else None)

	def slot(self, name):
		for s in self.slots:
			if s.name == name:
				return s
		return None

	def of_constraint(self, kind):
		for s in self.slots:
			if s.constraint == kind:
				return s
		return None

	@property
	def chain(self):
		"""The field that says which payload follows, or None."""
		for s in self.slots:
			if s.f.chain and s.kind == 'int':
				return s
		return None

	@property
	def fixed_size(self):
		"""Octets, when every field has a fixed size; else None."""
		if any(not s.fixed for s in self.slots):
			return None
		return sum(s.bits if s.bits else s.octets * 8 for s in self.slots) // 8

	def count_member(self, slot):
		"""The member that counts the items of a nested array or of slices."""
		return 'n_%s' % slot.name

	def counted_by(self, slot):
		return self.counts.get(slot.name)

	def derived(self, slot):
		"""Not given to the emitter: it follows from the other fields."""
		return slot.kind == 'zero' or (slot.f.chain and slot.kind == 'int') \
			or slot.constraint in ('const', 'bits', 'size_self', 'size_message', 'count') \
			or slot.name in self.sizers

	def runs(self):
		"""The slots in order, neighbours of fixed size together: [('run', [slots]) or ('one', slot)].
		A run ends behind the field that gives the size of the whole."""
		out, run = [], []
		for s in self.slots:
			if s.fixed:
				run.append(s)
				if s.constraint == 'size_self':
					out.append(('run', run))
					run = []
				continue
			if run:
				out.append(('run', run))
				run = []
			out.append(('one', s))
		if run:
			out.append(('run', run))
		return out

	def diagram(self):
		"""Lines of an ASCII packet diagram in the manner of the RFCs."""
		lines = [' 0                   1                   2                   3',
			' 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1',
			RULE]
		row, used = '', 0
		for s in self.slots:
			bits = s.bits or (s.octets * 8 if s.octets else None)
			if bits is None or (used == 0 and bits > WIDE) or used + bits > WIDE:
				if used:
					lines += [row.ljust(2 * WIDE) + '|', RULE]
					row, used = '', 0
				if bits is None or bits > WIDE:
					lines += big(s, bits)
					continue
			row += '|' + s.name[:2 * bits - 1].center(2 * bits - 1)
			used += bits
			if used == WIDE:
				lines += [row + '|', RULE]
				row, used = '', 0
		if used:
			lines += [row + '|', RULE[:2 * used + 1]]
		return lines


RULE = '+-' * WIDE + '+'


def big(slot, bits):
	"""A field of more than a row, or of an unknown size."""
	if bits is not None:
		label = '%s (%d octets)' % (slot.name, bits // 8)
	elif slot.kind == 'nested':
		label = '%s (%s payloads)' % (slot.name, slot.target.name)
	elif slot.kind == 'attributes':
		label = '%s (data attributes)' % slot.name
	elif slot.kind == 'slices':
		label = '%s (each of %s octets)' % (slot.name, slot.sizer or slot.f.type.size.size)
	elif slot.sizer:
		label = '%s (%s octets)' % (slot.name, slot.sizer)
	else:
		label = '%s (to the end)' % slot.name
	inner = 2 * WIDE - 1
	return ['|' + label.center(inner) + '|', '~' + ' ' * inner + '~', RULE]
