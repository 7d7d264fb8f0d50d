"""payloads_emit.c: one emitter for each payload; what follows from other fields is computed."""

from .attributes import lookup_call
from .cwriter import C, add_with_helpers, cnum, finish, start, upper
from .layout import Layout
from .payload_parse import payload_title
from .resolve import cite


def emit_type(layout):
	return 'struct emit_%s' % layout.name


def emit_head(layout):
	params = ''.join(', uint32_t %s' % p for p in layout.params)
	follow = ', uint8_t next_payload' if layout.chain else ''
	return 'void emit_%s(struct writer *w%s%s, const %s *a)' % (layout.name, follow, params, emit_type(layout))


def given(layout):
	"""The slots that the caller fills."""
	return [s for s in layout.slots if not layout.derived(s)]


def declare(c, r, layout):
	c.comment('%s%s' % (payload_title(r, layout), cite(layout.struct)))
	with c.block(emit_type(layout), '};'):
		for s in given(layout):
			member(c, layout, s)
		if not given(layout):
			c('uint8_t none;\t/* nothing to choose */')
	c.fold(emit_head(layout), ';')
	c.blank()


def member(c, layout, s):
	n = layout.count_member(s)
	if s.kind == 'int':
		kind = '\t/* enum %s */' % s.registry.name if s.registry is not None else \
			'\t/* registry_%s(%s) */' % s.switch if s.switch else ''
		c('%s %s;%s' % (s.ctype, s.c, kind))
	elif s.kind == 'bytes':
		c('struct span %s;%s' % (s.c, '\t/* %d octets; empty = zeros */' % s.octets if s.octets else ''))
	elif s.kind == 'nested':
		c('const struct emit_%s *%s;' % (s.target.name, s.c))
		c('size_t %s;' % n)
	elif s.kind == 'slices':
		c('const struct span *%s;\t/* all of one length */' % s.c)
		c('size_t %s;' % n)
	elif s.kind == 'attributes':
		c('const struct emit_attribute *%s;' % s.c)
		c('size_t %s;' % n)


BOUND = '''
/* A part of n octets or items must be of min to max: else the output is void. */
static void bound(struct writer *w, size_t n, size_t min, size_t max)
{
	if (n < min || n > max)
		w->overflow = true;
}
'''

LENGTH = '''
/* The 16-bit length, at `field`, of what begins at `at`. */
static void set_length(struct writer *w, size_t field, size_t at)
{
	bound(w, w->n - at, 0, UINT16_MAX);
	patch_u16(w, field, (uint16_t)(w->n - at));
}
'''

FIXED = '''
/* n octets: s, or zeros when it is empty. */
static void put_fixed(struct writer *w, struct span s, size_t n)
{
	if (s.n == 0) {
		put_zero(w, n);
		return;
	}
	bound(w, s.n, n, n);
	put_bytes(w, s);
}
'''

SLICES = '''
/* The slices one after another; all have the length of the first. */
static void put_slices(struct writer *w, const struct span *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bound(w, s[i].n, s[0].n, s[0].n);
		put_bytes(w, s[i]);
	}
}
'''


def source(r, layouts):
	c = start('payloads_emit.c', 'the emitters of the payloads.', ['generated/payloads.h'])
	body = C()
	for layout in layouts:
		Emitter(body, r, layout).write()
	add_with_helpers(c, body, [('bound', BOUND), ('set_length', LENGTH), ('put_fixed', FIXED), ('put_slices', SLICES)])
	return finish(c, 'payloads_emit.c')


class Emitter:
	def __init__(self, c, r, layout):
		self.c, self.r, self.layout = c, r, layout
		self.half = None	# the high four bits of an octet that is not complete

	def write(self):
		c, layout = self.c, self.layout
		size = layout.of_constraint('size_self')
		c.comment('%s%s' % (payload_title(self.r, layout), cite(layout.struct)))
		with c.function(emit_head(layout)):
			if size is not None:
				c('size_t at = w->n;')
				c.blank()
			if not given(layout):
				c('(void)a;')
			for s in layout.slots:
				getattr(self, s.kind)(s)
			if size is not None:
				c('set_length(w, at + %d, at);' % (size.bit // 8))

	def int(self, s):
		expr = self.expression(s)
		c = self.c
		if s.bits == 4:
			if self.half is None:
				self.half = expr
			else:
				c('put_u8(w, (uint8_t)(%s << 4 | (%s & 0x0f)));' % (self.half, expr))
				self.half = None
			return
		if s.constraint == 'size_self':
			c('put_u%d(w, 0);\t\t/* %s, set below */' % (s.bits, s.name))
		elif s.constraint == 'size_message':
			c('put_u%d(w, 0);\t\t/* %s, set when the message is complete */' % (s.bits, s.name))
		else:
			c('put_u%d(w, %s);' % (s.bits, expr))

	def expression(self, s):
		layout = self.layout
		if s.f.chain:
			return 'next_payload'
		if s.constraint == 'const':
			v = s.f.constraint.values[0]
			return cnum(v.value) if hasattr(v, 'value') else upper(s.registry.name, v)
		if s.constraint == 'bits':
			return ' | '.join(upper(s.registry.name, v) for v in s.f.constraint.values) or '0'
		if s.constraint == 'count':
			return self.counted(s, layout.slot(s.f.constraint.values[0].text))
		if s.name in layout.sizers:
			return self.sized(s, layout.sizers[s.name])
		return 'a->%s' % s.c

	def cast(self, s, expr):
		return expr if s.bits == 64 else '(%s)%s' % (s.ctype, expr)

	def counted(self, s, items):
		n = 'a->%s' % self.layout.count_member(items)
		self.c('bound(w, %s, %d, %s);' % (n, items.low, items.high or greatest(s)))
		return self.cast(s, n)

	def sized(self, s, part):
		c = self.c
		low, high = 0, greatest(s)
		if s.constraint == 'range':
			low, high = (v.value for v in s.f.constraint.values)
		if part.kind == 'slices':
			n = '(a->%s == 0 ? 0 : a->%s[0].n)' % (self.layout.count_member(part), part.c)
		else:
			n = 'a->%s.n' % part.c
		c('bound(w, %s, %s, %s);' % (n.strip('()') if part.kind == 'slices' else n, low, high))
		return self.cast(s, n)

	def zero(self, s):
		self.c('put_zero(w, %d);' % s.octets if s.octets else 'put_zero(w, 0);')

	def bytes(self, s):
		c = self.c
		if s.octets:
			c('put_fixed(w, a->%s, %d);' % (s.c, s.octets))
			return
		if not s.sizer and (s.low or s.high is not None):
			c('bound(w, a->%s.n, %d, %s);' % (s.c, s.low, s.high or 'UINT16_MAX'))
		c('put_bytes(w, a->%s);' % s.c)

	def slices(self, s):
		self.c('put_slices(w, a->%s, a->%s);' % (s.c, self.layout.count_member(s)))

	def nested(self, s):
		c, n = self.c, 'a->%s' % self.layout.count_member(s)
		inner = Layout(self.r, s.target)
		args = ', ' + (s.arg if s.arg in self.layout.params else 'a->' + s.arg) if inner.params else ''
		if self.layout.counted_by(s) is None and s.low:
			c('bound(w, %s, %d, %s);' % (n, s.low, s.high or 'SIZE_MAX'))
		c('for (size_t i = 0; i < %s; i++)' % n)
		with c.indent():
			c.stmt('emit_%s(w, i + 1 < %s ? %s : %s%s, &a->%s[i])' % (s.target.name, n,
				self.r.payload_type(s.target.name), self.r.payload_type('NONE'), args, s.c))

	def attributes(self, s):
		arg = s.arg if s.arg in self.layout.params else 'a->' + s.arg
		self.c.stmt('attributes_emit(w, %s, a->%s, a->%s)' % (lookup_call(self.r, s, arg), s.c,
			self.layout.count_member(s)))


def greatest(slot):
	return cnum((1 << slot.bits) - 1)
