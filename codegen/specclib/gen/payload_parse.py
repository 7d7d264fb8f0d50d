"""payloads_parse.c: one straight-line parser for each payload, and the walk over a message."""

from . import attributes
from .attributes import lookup_call
from .conditions import condition, negation, struct_scope, subject
from .cwriter import C, add_with_helpers, cnum, cstr, finish, start, upper
from .layout import Layout
from .resolve import cite, struct_type


def parse_head(layout):
	params = ''.join(', uint32_t %s' % p for p in layout.params)
	return 'bool parse_%s(struct span in, uint32_t offset%s, %s *out, struct fault *f)' % (
		layout.name, params, struct_type(layout.struct))


def next_head(layout):
	params = ''.join(', uint32_t %s' % p for p in layout.params)
	return 'bool next_%s(struct span *rest%s, %s *out)' % (layout.name, params, struct_type(layout.struct))


class Parser:
	"""Writes the parser of one payload."""

	def __init__(self, c, r, layout):
		self.c, self.r, self.layout = c, r, layout
		self.scope = struct_scope(r, layout.struct, 'out->')
		self.size = layout.of_constraint('size_self')
		self.varies = False	# the offset is in `at`, no longer a constant
		self.at = 0
		self.behind = {}	# slots of a run that moves: octets behind `at`
		self.index = {}		# zero fields of a run that must be zero: C of their octet

	# ---- pieces of text

	def notify(self, slot, first=None):
		"""The notify of a fault in a slot; without one that of the payload as a whole."""
		kind = slot.registry if slot else None
		return self.r.notify(first, slot.f.else_ if slot else None, kind.clauses.else_ if kind else None,
			*self.layout.elses())

	def fault(self, reason, slot, field, at, got, want):
		return 'return fault_at(f, REASON_%s, %s, %s, %s, %s, %s, %s)' % (
			reason.upper(), self.notify(slot), cstr(self.layout.name), cstr(field), at, got, want)

	def refuse(self, cond, reason, slot, got, want):
		"""A value that must not be; in a lax field it is only observed."""
		if slot.f.lax:
			self.c.stmt('out->lax |= %s' % cond)
			return
		self.c.fail_if(cond, self.fault(reason, slot, slot.name, self.place(slot), got, want))

	def place(self, slot):
		known = slot.at()
		if known is not None or slot not in self.behind:
			return known or self.position()
		octets = self.behind[slot]
		return self.position() + (' + %d' % octets if octets else '')

	def position(self):
		"""The offset of what comes next."""
		if self.varies:
			return 'offset + (uint32_t)at'
		return 'offset + %d' % self.at if self.at else 'offset'

	def here(self):
		return 'at' if self.varies else '%d' % self.at

	def left(self):
		return 'in.n - %s' % self.here() if self.varies or self.at else 'in.n'

	# ---- the whole

	def write(self):
		layout, c = self.layout, self.c
		title = payload_title(self.r, layout)
		c.comment('%s%s' % (title, cite(layout.struct)), layout.struct.doc, ['', *layout.diagram()])
		with c.function(parse_head(layout)):
			self.locals()
			init = ''.join(', .%s = %s' % (p, p) for p in layout.params)
			c.stmt('*out = (%s){ .offset = offset%s }' % (struct_type(layout.struct), init))
			for kind, part in layout.runs():
				if kind == 'run':
					self.run(part)
				else:
					self.one(part)
			self.end()
			for require in layout.struct.requires:
				self.require(require)
			c('return true;')

	def locals(self):
		layout, c = self.layout, self.c
		runs = layout.runs()
		if any(kind == 'run' and any(s.kind != 'bytes' for s in part) for kind, part in runs):
			c('const uint8_t *p = in.p;')
		if self.size:
			c('size_t length;')
		if self.moves():
			c('size_t at;')
		if needs_found(layout):
			c('uint16_t found = 0;')
		c.blank()

	def moves(self):
		"""Is there a part behind one of varying size?"""
		bits = [s.bit for s in self.layout.slots]
		return None in bits or self.takes_no_rest()

	def takes_no_rest(self):
		return bool(self.layout.slots) and not self.layout.slots[-1].fixed \
			and bool(self.layout.slots[-1].sizer) and self.layout.slots[-1].kind == 'bytes'

	def run(self, slots):
		c = self.c
		octets = sum(s.bits if s.bits else s.octets * 8 for s in slots) // 8
		c.fail_if('%s < %d' % (self.left(), octets),
			self.fault('field_truncated', None, slots[0].name, self.position(), self.left(), octets))
		position, start_at = 0, self.at
		for s in slots:
			self.behind[s] = position // 8
			self.load(s, start_at, position)
			position += s.bits or s.octets * 8
		checks = len(c.lines)
		for s in slots:
			self.check(s)
		if len(c.lines) > checks:
			c.blank()
		if slots[-1].constraint == 'size_self':
			self.cut(octets)
		self.behind, self.index = {}, {}
		if self.varies:
			c('at += %d;' % octets)
		else:
			self.at += octets

	def load(self, s, start_at, position):
		octet = position // 8
		index = 'at + %d' % octet if self.varies and octet else 'at' if self.varies else str(start_at + octet)
		pointer = 'p + %s' % index if index != '0' else 'p'
		c = self.c
		if s.kind == 'zero':
			if s.f.lax:
				self.refuse(self.not_zero(s, index), 'field_value', s, 1, 0)
			else:
				self.index[s] = index	# refused in its turn, by check()
		elif s.kind == 'bytes':
			c('out->%s = span_sub(in, %s, %d);' % (s.c, index, s.octets))
		elif s.constraint == 'size_self':
			c('length = %s;' % self.number(s, index, pointer, position))
		else:
			c('out->%s = %s;' % (s.c, self.number(s, index, pointer, position)))

	@staticmethod
	def not_zero(s, index):
		return 'p[%s] != 0' % index if s.octets == 1 else '!all_zero(span_sub(in, %s, %d))' % (index, s.octets)

	@staticmethod
	def number(s, index, pointer, position):
		if s.bits == 4:
			return 'p[%s] >> 4' % index if position % 8 == 0 else 'p[%s] & 0x0f' % index
		if s.bits == 8:
			return 'p[%s]' % index
		return 'get_u%d(%s)' % (s.bits, pointer)

	# ---- values

	def check(self, s):
		kind, values = s.constraint, s.f.constraint.values if s.f.constraint else ()
		member = 'out->' + s.c
		if s in self.index:
			self.refuse(self.not_zero(s, self.index[s]), 'field_value', s, 1, 0)
			return
		if s.f.chain and s.kind == 'int':
			if self.layout.struct.clauses.nested:
				mine, none = self.r.payload_type(self.layout.name), self.r.payload_type('NONE')
				self.refuse('%s != %s && %s != %s' % (member, mine, member, none),
					'field_value', s, member, mine)
			return
		if kind == 'const':
			want = self.constant(s, values[0])
			self.refuse('%s != %s' % (member, want), 'field_value', s, member, want)
		elif kind == 'bits':
			want = ' | '.join(upper(s.registry.name, v) for v in values) or '0'
			shown = '(%s)' % want if ' | ' in want else want
			self.refuse('%s != %s' % (member, shown), 'field_value', s, member, want)
		elif kind == 'oneof':
			wants = [self.constant(s, v) for v in values]
			self.refuse(' && '.join('%s != %s' % (member, w) for w in wants), 'field_value', s, member, wants[0])
		elif kind == 'range':
			self.bounds(s, member, values[0].value, values[1].value)
		elif kind == 'nonzero':
			zero = 'all_zero(%s)' % member if s.kind == 'bytes' else '%s == 0' % member
			self.refuse(zero, 'field_zero', s, 0, 1)
		elif kind == 'size_message':
			self.refuse('%s != in.n' % member, 'length_mismatch', s, member, 'in.n')
		elif kind == 'count':
			self.count_limit(s, values[0].text, member)
		if kind not in ('const', 'oneof'):
			self.known(s, member)

	def constant(self, s, value):
		if hasattr(value, 'value'):
			return cnum(value.value)
		if s.switch:
			for branch in self.r.switches[s.switch[0]]:
				if any(e.symbol and e.symbol.text == value.text for e in branch.entries):
					return upper(branch.name, value)
		return upper(s.registry.name, value)

	def bounds(self, s, member, lo, hi):
		if lo > 0:
			self.refuse('%s < %d' % (member, lo), 'field_range', s, member, lo)
		if s.bits is None or hi < (1 << s.bits) - 1:
			self.refuse('%s > %s' % (member, cnum(hi)), 'field_range', s, member, cnum(hi))

	def known(self, s, member):
		if s.switch:
			arg = s.switch[1]
			selector = arg if arg in self.layout.params else 'out->' + arg
			self.refuse('!registry_admits(registry_%s(%s), %s)' % (s.switch[0], selector, member),
				'field_unknown', s, member, 0)
		elif s.registry is None or s.constraint == 'bits':
			return
		elif s.registry.name.text in self.r.bits:
			if s.registry.clauses.closed or s.f.else_ is not None:
				mask = ' | '.join(upper(s.registry.name, e.symbol) for e in s.registry.entries)
				self.refuse('(%s & ~(%s)) != 0' % (member, mask), 'field_unknown', s, member, mask)
		elif s.registry.clauses.closed:
			self.refuse('!registry_admits(&registry_%s, %s)' % (s.registry.name, member),
				'field_unknown', s, member, 0)

	def count_limit(self, s, counted, member):
		limit = self.r.limit(counted)
		if limit:
			self.refuse('%s > %s' % (member, limit), 'limit_exceeded', s, member, limit)

	def cut(self, octets):
		"""The length is known: what follows stays inside of it.  octets: of the run that ends with it."""
		c, s = self.c, self.size
		least = self.layout.base_octets or self.at + octets
		self.refuse('length < %d' % least, 'length_mismatch', s, 'length', least)
		self.refuse('length > in.n', 'length_mismatch', s, 'length', 'in.n')
		c('in = span_sub(in, 0, length);')
		c('out->whole = in;')
		c('out->body = span_from(in, %d);' % least)
		c.blank()

	# ---- parts of varying size

	def one(self, s):
		if s.kind == 'bytes' and s.sizer:
			self.sized(s)
		else:
			getattr(self, s.kind)(s)

	def advance(self, octets):
		c = self.c
		if self.varies:
			c('at += %s;' % octets)
		else:
			c('at = %s;' % ('%d + %s' % (self.at, octets) if self.at else octets))
			self.varies = True

	def sized(self, s):
		size = 'out->' + self.layout.slot(s.sizer).c
		self.refuse('%s < %s' % (self.left(), size), 'field_truncated', s, self.left(), size)
		self.c('out->%s = span_sub(in, %s, %s);' % (s.c, self.here(), size))
		self.advance(size)
		self.c.blank()

	def rest(self, s):
		"""Everything up to the end."""
		self.c('out->%s = span_from(in, %s);' % (s.c, self.here()))

	def bytes(self, s):
		self.rest(s)
		member = 'out->%s.n' % s.c
		if s.low:
			self.refuse('%s < %d' % (member, s.low), 'field_range', s, member, s.low)
		if s.high is not None:
			self.refuse('%s > %d' % (member, s.high), 'field_range', s, member, s.high)

	def zero(self, s):
		"""Zeros up to the end."""
		found = '!all_zero(span_from(in, %s))' % self.here()
		self.refuse(found, 'field_value', s, 1, 0)

	def slices(self, s):
		self.rest(s)
		size = 'out->' + self.layout.slot(s.sizer).c if s.sizer else str(s.f.type.size.size)
		member = 'out->' + s.c
		if s.sizer:
			sizer = self.layout.slot(s.sizer)
			if not (sizer.constraint == 'range' and sizer.f.constraint.values[0].value > 0):
				self.refuse('%s == 0' % size, 'field_zero', sizer, 0, 1)
		self.refuse('%s.n %% %s != 0' % (member, size), 'length_mismatch', s, member + '.n',
			'%s.n / %s * %s' % (member, size, size))
		self.counted(s, '%s.n / %s' % (member, size))

	def counted(self, s, found):
		"""Compare what was found with the field that counts it and with the bounds."""
		counter = self.layout.counted_by(s)
		if counter:
			self.refuse('out->%s != %s' % (counter.c, found), 'count_mismatch', counter,
				'out->' + counter.c, found)
		if counter is None or counter.name != self.layout.count_member(s):
			self.c('out->%s = (uint16_t)(%s);' % (self.layout.count_member(s), found)
				if ' ' in found else 'out->%s = %s;' % (self.layout.count_member(s), found))
		if s.low:
			self.refuse('%s < %d' % (found, s.low), 'field_range', s, found, s.low)
		if s.high is not None:
			self.refuse('%s > %d' % (found, s.high), 'field_range', s, found, s.high)

	def nested(self, s):
		"""A chain of payloads that fills the rest."""
		c, inner = self.c, Layout(self.r, s.target)
		self.rest(s)
		args = ''.join(', ' + ('out->' + s.arg if s.arg not in self.layout.params else s.arg)
			for _ in inner.params)
		limit = self.r.limit(s.name) or 'UINT16_MAX'
		call = 'chain_%s(out->%s, %s%s, %s, &found, f)' % (inner.name, s.c, self.position(), args, limit)
		condition_ = '!%s' % call
		if s.low == 0:
			condition_ = 'out->%s.n != 0 && %s' % (s.c, condition_)
		c.fail_if(condition_, 'return false')
		counter = self.layout.counted_by(s)
		if counter:
			self.refuse('out->%s != found' % counter.c, 'count_mismatch', counter, 'out->' + counter.c, 'found')
		if counter is None or counter.name != self.layout.count_member(s):
			c('out->%s = found;' % self.layout.count_member(s))
		if s.low > 1:
			self.refuse('found < %d' % s.low, 'field_range', s, 'found', s.low)
		if s.high is not None:
			self.refuse('found > %d' % s.high, 'field_range', s, 'found', s.high)

	def attributes(self, s):
		self.rest(s)
		arg = s.arg if s.arg in self.layout.params else 'out->' + s.arg
		notify = self.notify(s)
		self.c.fail_if('!check_attributes(%s, out->%s, %s, %s, %s, f)' % (
			lookup_call(self.r, s, arg), s.c, self.position(), cstr(self.layout.name), notify), 'return false')

	def end(self):
		"""Nothing may follow the last field; a struct without a length is as long as its fields."""
		c, layout = self.c, self.layout
		if self.size is None:
			c('out->whole = span_sub(in, 0, %s);' % self.here())
			if layout.base_octets:
				c('out->body = span_from(out->whole, %d);' % layout.base_octets)
			return
		last = layout.slots[-1] if layout.slots else None
		if last is not None and not last.fixed and not (last.kind == 'bytes' and last.sizer):
			return
		c.fail_if('in.n != %s' % self.here(),
			self.fault('trailing_octets', None, last.name, self.position(), self.left(), 0))

	def require(self, require):
		c = self.c
		got, want = subject(require.then, self.scope)
		slot = self.layout.slot(got.field)
		fault = 'return fault_at(f, REASON_RULE_BROKEN, %s, %s, %s, %s, %s, %s)' % (
			self.notify(slot, require.else_), cstr(self.layout.name), cstr(got.field), got.at, got.c, want)
		cond = condition(require.cond, self.scope)
		cond = '(%s)' % cond if ' || ' in cond else cond
		c.fail_if('%s && %s' % (cond, negation(require.then, self.scope)), fault)


def payload_title(r, layout):
	entry = r.payload_entry(layout.struct)
	if entry is not None and entry.text:
		return '%s, %s: ' % (layout.name, entry.text)
	return '%s: ' % layout.name


def needs_found(layout):
	return any(s.kind == 'nested' for s in layout.slots)


# ---- the file

ALL_ZERO = '''
static bool all_zero(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != 0)
			return false;
	return true;
}
'''


def source(r, layouts):
	c = start('payloads_parse.c', 'the parsers of the payloads.',
		['generated/payloads.h', 'generated/reasons.h'])
	body = C()
	if r.spec.attributes:
		attributes.define(body, r)
	if any(s.kind == 'attributes' for l in layouts for s in l.slots):
		body((attributes.CHECK % (r.limit('attributes') or 'SIZE_MAX')).strip())
		body.blank()
	held = {s.target.name.text for l in layouts for s in l.slots if s.target is not None}
	for layout in layouts:
		Parser(body, r, layout).write()
		if layout.name in held:
			chain_function(body, r, layout)
		if layout.struct.clauses.nested:
			next_function(body, layout)
	message_walk(body, r, layouts)
	add_with_helpers(c, body, [('all_zero', ALL_ZERO)])
	return finish(c, 'payloads_parse.c')


def chain_function(c, r, layout):
	"""A list of nested payloads that ends with what holds it."""
	name = layout.name
	params = ''.join(', uint32_t %s' % p for p in layout.params)
	args = ''.join(', %s' % p for p in layout.params)
	notify = r.notify(*layout.elses())
	chain = layout.chain
	c.comment('Payloads %s that fill `in`: all but the last say that another %s follows.' % (name, name))
	with c.function('static bool chain_%s(struct span in, uint32_t offset%s, size_t limit, uint16_t *n,'
			' struct fault *f)' % (name, params)):
		c('%s one;' % struct_type(layout.struct))
		c.blank()
		c('*n = 0;')
		with c.block('do', '} while (one.%s != %s);' % (chain.c, r.payload_type('NONE'))):
			c.fail_if('*n == limit', 'return fault_at(f, REASON_LIMIT_EXCEEDED, %s, %s, %s, offset,'
				' limit + 1, limit)' % (notify, cstr(name), cstr(name)))
			c.fail_if('!parse_%s(in, offset%s, &one, f)' % (name, args), 'return false')
			c('in = span_from(in, one.whole.n);')
			c('offset += (uint32_t)one.whole.n;')
			c('(*n)++;')
		c.fail_if('in.n != 0', 'return fault_at(f, REASON_TRAILING_OCTETS, %s, %s, %s, offset, in.n, 0)'
			% (notify, cstr(name), cstr(name)))
		c('return true;')


def next_function(c, layout):
	args = ''.join(', %s' % p for p in layout.params)
	with c.function(next_head(layout)):
		c('struct fault f;')
		c.blank()
		c.fail_if('rest->n == 0 || !parse_%s(*rest, 0%s, out, &f)' % (layout.name, args), 'return false')
		c('*rest = span_from(*rest, out->whole.n);')
		c('return true;')


def message_walk(c, r, layouts):
	registry = r.payload_registry()
	tops = [l for l in layouts if l.struct.kind == 'payload' and not l.struct.clauses.nested]
	if registry is None or not tops:
		return
	unknown = r.notify(registry.clauses.else_)
	with c.function('bool parse_payload(uint8_t type, struct span in, uint32_t offset, struct payload *out,'
			' uint8_t *np, struct fault *f)'):
		c('bool good;')
		c.blank()
		c('out->slot = SLOT_NONE;')
		with c.block('switch (type)'):
			c.depth -= 1
			for l in tops:
				entry = r.payload_entry(l.struct)
				c('case %s:' % r.payload_type(l.name))
				for alias in entry.aliases if entry else ():
					c('case %d:' % alias.value)
				with c.indent():
					c('out->type = %s;' % r.payload_type(l.name))
					c('good = parse_%s(in, offset, &out->u.%s, f);' % (l.name, l.name))
					c('break;')
			c('default:')
			with c.indent():
				c.stmt('return fault_at(f, REASON_PAYLOAD_UNKNOWN, %s, "message", "np", offset, type, 0)'
					% unknown)
			c.depth += 1
		c('*np = good ? out->u.common.np : 0;')
		c('return good;')
	head = r.message_header()
	if head is None or not r.limit('payloads_per_message'):
		return
	chain_walk(c, r, Layout(r, head))


def chain_walk(c, r, head):
	padding = r.limit('padding_octets') or '0'
	c.comment('The payload types in a message form a chain: %s. An unknown type is blamed on the octet that '
		'announces it.' % cite(head.struct))
	many = r.notify(*(r.structs[name].clauses.else_ for name in sorted(r.bases)), r.payload_registry().clauses.else_)
	trailing = r.notify(head.of_constraint('size_message').f.else_, head.struct.clauses.else_)
	with c.function('bool parse_chain(struct message *m, struct span bytes, bool decrypted, struct fault *f)'):
		c('struct span rest = span_from(bytes, m->header.whole.n);')
		c('uint32_t offset = (uint32_t)(bytes.n - rest.n), np_at = %s;' % head.chain.at('m->header.offset'))
		c('uint8_t np = m->header.%s, type;' % head.chain.c)
		c('size_t limit = decrypted ? %s : 0;' % padding)
		c.blank()
		c('m->bytes = bytes;')
		c('m->n = 0;')
		with c.block('while (np != %s)' % r.payload_type('NONE')):
			c('struct payload *p = &m->payloads[m->n];')
			c.blank()
			c.fail_if('m->n == LIMIT_PAYLOADS_PER_MESSAGE', 'return fault_at(f, REASON_LIMIT_EXCEEDED, %s,'
				' "message", "payloads", offset, m->n + 1u, LIMIT_PAYLOADS_PER_MESSAGE)' % many)
			c('type = np;')
			with c.block('if (!parse_payload(type, rest, offset, p, &np, f))'):
				c.fail_if('f->reason == REASON_PAYLOAD_UNKNOWN', 'f->offset = np_at')
				c('return false;')
			c('m->n++;')
			c('np_at = offset;')
			c('offset += (uint32_t)payload_whole(p).n;')
			c('rest = span_from(rest, payload_whole(p).n);')
		c('m->padding = (uint32_t)rest.n;')
		c.fail_if('rest.n > limit', 'return fault_at(f, REASON_TRAILING_OCTETS, %s, "message", "payloads",'
			' offset, rest.n, limit)' % trailing)
		c('return true;')
